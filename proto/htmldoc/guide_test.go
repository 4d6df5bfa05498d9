package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/sdk"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// TestGuidesAreComplete: each field has one rule, and each rule a letter for
// each hook and a sentence.
func TestGuidesAreComplete(t *testing.T) {
	c := load(t)
	wanted := map[protoreflect.FullName]bool{
		"coprocess.Object": true, "coprocess.MiniRequestObject": true, "coprocess.ReturnOverrides": true,
		"coprocess.ResponseObject": true, "coprocess.SessionState": true,
	}
	for _, g := range guides() {
		delete(wanted, g.Message)
		d, err := c.registry.FindDescriptorByName(g.Message)
		if err != nil {
			t.Fatal(err)
		}
		var rules, fields []string
		for _, r := range g.Rules {
			rules = append(rules, r.Field)
			if len(r.Hooks) != len(hooks()) || len(r.Cells()) != len(hooks()) {
				t.Errorf("%s.%s: %q is not a letter for each hook", g.Message, r.Field, r.Hooks)
			}
			if len(r.Effect) < 8 || !strings.HasSuffix(r.Effect, ".") {
				t.Errorf("%s.%s: %q is not a sentence", g.Message, r.Field, r.Effect)
			}
		}
		for f := range each(d.(protoreflect.MessageDescriptor).Fields()) {
			fields = append(fields, string(f.Name()))
		}
		if got, want := fmt.Sprint(rules), fmt.Sprint(fields); got != want {
			t.Errorf("%s: the rules are about\n%s, the fields are\n%s", g.Message, got, want)
		}
	}
	for message := range wanted {
		t.Errorf("%s has no guide", message)
	}
	for _, h := range hooks() {
		if _, ok := coprocess.HookType_value[h.Value]; !ok {
			t.Errorf("there is no hook %s", h.Value)
		}
	}
	if len(hooks()) != len(coprocess.HookType_value)-1 { // Unknown is never sent
		t.Error("a hook is missing")
	}
}

// TestGuidesAreTrue: what a real gateway sends to the hooks is what the guides
// say that it sends [B-1…B-29].
func TestGuidesAreTrue(t *testing.T) {
	r, gateway := newRecorder(t), program.FreeAddr(t)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "reply") }))
	t.Cleanup(up.Close)
	program.Start(t, gateway, "run", "--config", r.configure(t, gateway, up.URL))

	// Absent are a boolean that is false, and sent anyway what says that there
	// is no answer yet.
	always := map[string]bool{"return_overrides": true, "response_code": true}
	r.ask(t, "http://"+gateway+"/known?q=1")
	for i, h := range hooks() {
		sent := r.sent(t, h.Value)
		for _, g := range guides() {
			for _, rule := range g.Rules {
				letter := rule.Hooks[i]
				want := strings.ContainsRune("rwk", rune(letter)) || letter != '-' && always[rule.Field]
				if got := has(sent, g.Path, rule.Field); got != want && rule.Field != "is_inactive" {
					t.Errorf("%s, %s.%s: sent is %v, but the guide says %q", h.Value, g.Message.Name(), rule.Field, got, letter)
				}
			}
		}
	}
	r.ask(t, "http://"+gateway+"/nobody?q=1")
	for i, h := range hooks() {
		if h.Value == "CustomKeyCheck" || h.Value == "PostKeyAuth" {
			continue // not asked where everyone may call
		}
		sent := r.sent(t, h.Value)
		for _, rule := range objectRules() {
			if got, want := has(sent, "", rule.Field), strings.ContainsRune("rw", rune(rule.Hooks[i])); got != want {
				t.Errorf("%s without a caller, %s: sent is %v, want %v", h.Value, rule.Field, got, want)
			}
		}
	}
}

// has reports whether a field of a part of the object is there.
func has(o *coprocess.Object, path, field string) bool {
	m := o.ProtoReflect()
	for name := range strings.SplitSeq(path, ".") {
		if name != "" {
			m = m.Get(m.Descriptor().Fields().ByName(protoreflect.Name(name))).Message()
		}
	}
	return m.Has(m.Descriptor().Fields().ByName(protoreflect.Name(field)))
}

// A recorder is a plugin that keeps what it is sent, and lets everyone in with a
// session that has something in every field.
type recorder struct {
	target string
	mu     sync.Mutex
	last   map[string]*coprocess.Object
}

func newRecorder(t *testing.T) *recorder {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{target: l.Addr().String(), last: map[string]*coprocess.Object{}}
	var options []sdk.Option
	for _, h := range hooks() {
		options = append(options, sdk.Hook(h.Value, r.keep))
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sdk.New(options...).Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *recorder) keep(x *sdk.Exchange) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last[x.HookName] = proto.CloneOf(x.Object)
	if x.HookType == coprocess.HookType_CustomKeyCheck {
		x.Accept("token", fullSession())
	}
	return nil
}

func (r *recorder) sent(t *testing.T, hook string) *coprocess.Object {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last[hook] == nil {
		t.Fatalf("%s was not asked", hook)
	}
	return r.last[hook]
}

// ask forgets what was sent, and sends a request with a body.
func (r *recorder) ask(t *testing.T, url string) {
	t.Helper()
	r.mu.Lock()
	clear(r.last)
	r.mu.Unlock()
	resp, err := http.Post(url, "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
}

func (r *recorder) configure(t *testing.T, gateway, upstream string) string {
	t.Helper()
	dir := t.TempDir()
	policies := filepath.Join(dir, "policies.json")
	file := filepath.Join(dir, "grapnel.yaml")
	const hooks = `{ pre: [{ plugin: p, hook: Pre }], post_key_auth: [{ plugin: p, hook: PostKeyAuth }], post: [{ plugin: p, hook: Post }], response: [{ plugin: p, hook: Response }] }`
	yaml := fmt.Sprintf(`
listen: %s
admin: { listen: "" }
store: "memory:"
policies: %s
plugins: { p: { target: %s, timeout: 10s } }
apis:
  - { id: known, org_id: shop, listen_path: /known, target: %s, auth: [{ plugin: p, hook: CustomKeyCheck }], hooks: %s }
  - { id: nobody, org_id: shop, listen_path: /nobody, target: %[4]s, hooks: %[5]s }
`, gateway, policies, r.target, upstream, hooks)
	const policy = `{"plan": {"id": "plan", "org_id": "shop", "active": true, "rate": 100, "per": 60, "quota_max": 100, "quota_renewal_rate": 3600, "max_query_depth": 5, "throttle_interval": 1, "throttle_retry_limit": 1,
		"access_rights": {"known": {"api_id": "known", "versions": ["Default"]}}}}`
	for name, text := range map[string]string{file: yaml, policies: policy} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func fullSession() *coprocess.SessionState {
	soon := time.Now().Add(time.Hour).Unix()
	return &coprocess.SessionState{
		LastCheck: 1, Allowance: 1, Rate: 10, Per: 1, Expires: soon, QuotaMax: 10, QuotaRenews: soon, QuotaRemaining: 9, QuotaRenewalRate: 60,
		OauthClientId: "client", OauthKeys: map[string]string{"client": "secret"}, BasicAuthData: &coprocess.BasicAuthData{Password: "p"},
		JwtData: &coprocess.JWTData{Secret: "s"}, HmacEnabled: true, HmacSecret: "s", ApplyPolicyId: "plan", DataExpires: soon,
		Monitor: &coprocess.Monitor{TriggerLimits: []float64{80}}, EnableDetailedRecording: true, Metadata: map[string]string{"tier": "gold"},
		Tags: []string{"tag"}, Alias: "alias", LastUpdated: "1", IdExtractorDeadline: soon, SessionLifetime: 60, ApplyPolicies: []string{"plan"},
		Certificate: "c", MaxQueryDepth: 3, PostExpiryAction: "retain", PostExpiryGracePeriod: 60,
		ThrottleInterval: 1, ThrottleRetryLimit: 1, DateCreated: "2026-01-02T03:04:05Z", EnableHttpSignatureValidation: true, RsaCertificateId: "c",
		MetadataJson: map[string]string{"visits": "7"}, Extra: map[string]string{"smoothing": `{"enabled":true}`},
	}
}
