package coprocess

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// fullSession has a value in every field that the wire knows.
func fullSession() *grapnel.Session {
	return &grapnel.Session{
		KeyID: "the-key", LastCheck: 1, Allowance: 2, Rate: 3, Per: 4, MaxQueryDepth: 5,
		Expires: 6, QuotaMax: 7, QuotaRenews: 8, QuotaRemaining: 9, QuotaRenewalRate: 10,
		AccessRights: map[string]grapnel.AccessDefinition{"api-1": {
			APIName: "one", APIID: "api-1", Versions: []string{"Default"},
			AllowedURLs: []grapnel.AccessSpec{{URL: "/a", Methods: []string{"GET", "PUT"}}},
			Limit: grapnel.APILimit{
				Rate: 1, Per: 2, ThrottleInterval: 3, ThrottleRetryLimit: 4, MaxQueryDepth: 5, QuotaMax: 6, QuotaRenews: 7, QuotaRemaining: 8, QuotaRenewalRate: 9,
			},
			Scope:     "api-1",
			Endpoints: []grapnel.EndpointLimit{{Path: "/a", Methods: []grapnel.MethodLimit{{Name: "GET", Limit: grapnel.RateLimit{Rate: 1, Per: 2}}}}},
			Extra:     map[string]json.RawMessage{"allowed_types": json.RawMessage(`[{"name":"Query","fields":["a"]}]`)},
		}},
		ThrottleInterval: 1.5, ThrottleRetryLimit: 2, DateCreated: "2026-01-02T03:04:05Z", SignatureValidation: true, RSACertificateID: "rsa",
		Extra: map[string]json.RawMessage{"smoothing": json.RawMessage(`{"enabled":true}`)},
		OrgID: "org-1", OAuthClientID: "client", OAuthKeys: map[string]string{"k": "v"}, Certificate: "cert",
		BasicAuthData: grapnel.BasicAuthData{Password: "secret", Hash: "bcrypt"}, JWTData: grapnel.JWTData{Secret: "jwt"},
		HMACEnabled: true, HMACSecret: "hmac", IsInactive: true, ApplyPolicyID: "p0", ApplyPolicies: []string{"p1", "p2"},
		DataExpires: 11, Monitor: grapnel.Monitor{TriggerLimits: []float64{80, 60}}, DetailedRecording: true,
		Metadata: map[string]any{"token": "the-key", "a": "b", "n": json.Number("7"), "o": map[string]any{"x": []any{true, nil}}}, Tags: []string{"t"}, Alias: "alias", LastUpdated: "12",
		IDExtractorDeadline: 13, SessionLifetime: 14, PostExpiryAction: "retain", PostExpiryGrace: 15,
	}
}

// encodedSession is a session as it is sent.
func encodedSession(t testing.TB, s *grapnel.Session, tyk bool) *wire.SessionState {
	t.Helper()
	o := &wire.Object{}
	if err := proto.Unmarshal(encodeSession(s, tyk), o); err != nil {
		t.Fatal(err)
	}
	return o.Session
}

// B-24, B-25, L-1, L-2, L-3: every field of the wire, but for the three that the
// original holds back.
func TestSessionState(t *testing.T) {
	for _, compat := range bothModes {
		got := encodedSession(t, fullSession(), compat == grapnel.CompatTyk).ProtoReflect()
		fields := got.Descriptor().Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			held := compat == grapnel.CompatTyk && (f.Number() >= 1000 || f.Name() == "certificate" || f.Name() == "max_query_depth" || f.Name() == "key_id")
			if got.Has(f) == held {
				t.Errorf("%s: %s sent: %v", compat, f.Name(), got.Has(f))
			}
		}
	}
	want := &wire.SessionState{BasicAuthData: &wire.BasicAuthData{}, JwtData: &wire.JWTData{}, Monitor: &wire.Monitor{}}
	if diff := cmp.Diff(want, encodedSession(t, &grapnel.Session{}, true), protocmp.Transform()); diff != "" {
		t.Error("the zero session [B-22]:", diff)
	}
}

// T-16, T-17 [B-23]: metadata becomes text.
func TestMetadata(t *testing.T) {
	got := encodedSession(t, &grapnel.Session{Metadata: map[string]any{
		"string": "testvalue", "number": 5.0, "yes": true, "list": []any{1.0}, "null": nil,
		"nested": map[string]any{"nestedkey": "nestedvalue"}, "channel": make(chan int), "nan": math.NaN(),
	}}, true).Metadata
	want := map[string]string{
		"string": "testvalue", "number": "5", "yes": "true", "list": "[1]", "null": "null",
		"nested": `{"nestedkey":"nestedvalue"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// T-18, T-19, T-20 [B-20…B-22]: which stages see a session.
func TestSessionSeen(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatNative)
	p.edits(func(o *wire.Object) { // for Auth
		if o.Session == nil {
			o.Session, o.Metadata = &wire.SessionState{}, map[string]string{"token": "t"}
		}
	})
	for _, stage := range []grapnel.Stage{grapnel.Pre, grapnel.Auth, grapnel.PostKeyAuth, grapnel.Post, grapnel.Response} {
		for _, known := range []bool{false, true} {
			x := exchange(t, "GET /t/a", "")
			if known {
				x.Session = fullSession()
			}
			b := bind(t, c, testAPI(), stage)
			if stage == grapnel.Response {
				if _, err := b.Response(within(t), x, grapnel.Reply(200, nil, nil)); err != nil {
					t.Fatal(err)
				}
			} else {
				pass(t, b, x)
			}
			late := stage >= grapnel.PostKeyAuth
			got := p.object()
			if (got.Session != nil) != (late && known || stage == grapnel.Response) {
				t.Errorf("%s, known %v: session %v", stage, known, got.Session)
			}
			if (got.Metadata != nil) != (late && known) {
				t.Errorf("%s, known %v: metadata %v", stage, known, got.Metadata)
			}
			if diff := cmp.Diff(got.Session.GetMetadata(), got.Metadata); diff != "" {
				t.Errorf("%s: metadata differ: %s", stage, diff)
			}
			if late && known && got.Session.KeyId != "the-key" {
				t.Errorf("%s: key_id %q [B-27]", stage, got.Session.KeyId)
			}
		}
	}
}

// T-112…T-116, C-4…C-6: what an auth hook must return.
func TestAuthenticate(t *testing.T) {
	state := func(pairs map[string]string) *wire.SessionState {
		return &wire.SessionState{Metadata: pairs, OrgId: "evil"}
	}
	token := func(s string) map[string]string { return map[string]string{"token": s} }
	tests := []struct {
		name     string
		session  *wire.SessionState
		metadata map[string]string
		want     string // token; empty is refused
	}{
		{"T-112 no token", state(nil), nil, ""},
		{"empty token", state(nil), token(""), ""},
		{"T-113 no session", nil, token("abc"), ""},
		{"neither", nil, nil, ""},
		{"object's metadata", state(nil), token("abc"), "abc"},
		{"T-114 session's metadata", state(token("abc")), nil, "abc"},
		{"T-115 object's wins", state(token("abc")), token("def"), "def"},
		{"object's wins even empty", state(token("abc")), token(""), ""},
	}
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Auth)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p.edits(func(o *wire.Object) {
				o.Session, o.Metadata = test.session, test.metadata
				o.Request.SetHeaders = map[string]string{"X-User": "7"}
			})
			x := exchange(t, "GET /t/a", "")
			resp, err := b.Request(within(t), x)
			if test.want == "" {
				e, ok := errors.AsType[*grapnel.Error](err)
				if !ok || resp != nil || e.Status != 403 || e.Message != "Forbidden" || e.Code != grapnel.CodePluginRefused {
					t.Errorf("got %v, %v; want 403 Forbidden", resp, err)
				}
				if x.Session != nil || x.Request.Header.Get("X-User") != "" {
					t.Error("the exchange has changed")
				}
				return
			}
			if err != nil || resp != nil {
				t.Fatalf("got %v, %v", resp, err)
			}
			if x.Session.KeyID != test.want || x.Session.Metadata["token"] != test.want || x.Session.OrgID != "org-1" {
				t.Errorf("session %+v [C-8, C-9]", x.Session)
			}
			if x.Request.Header.Get("X-User") != "7" {
				t.Error("T-133: the header of the auth hook is missing")
			}
		})
	}
}

// T-141 [C-7, B-25, L-30]: every field that a plugin returns is in the session;
// where the original is reproduced, every field of the original's.
func TestSessionReturned(t *testing.T) {
	p := start(t)
	p.edits(func(o *wire.Object) { o.Session = sessionState(fullSession(), false) })
	for _, compat := range bothModes {
		x := exchange(t, "GET /t/a", "")
		pass(t, bind(t, p.client(t, compat), testAPI(), grapnel.Auth), x)
		want := fullSession()
		if compat == grapnel.CompatTyk {
			forget(want)
			want.Metadata["n"], want.Metadata["o"] = "7", `{"x":[true,null]}`
		}
		if diff := cmp.Diff(want, x.Session); diff != "" {
			t.Error(compat, diff)
		}
	}
}

// L-7: numbers that are none cannot be kept, nor what would say things twice.
func TestSessionFaults(t *testing.T) {
	right := func(d *wire.AccessDefinition) map[string]*wire.AccessDefinition {
		return map[string]*wire.AccessDefinition{"a": d}
	}
	p := start(t)
	b := bind(t, p.client(t, grapnel.CompatNative), testAPI(), grapnel.Auth)
	for field, s := range map[string]*wire.SessionState{
		"session.allowance": {Allowance: math.NaN()}, "session.rate": {Rate: math.Inf(1)}, "session.per": {Per: math.Inf(-1)},
		"session.throttle_interval":               {ThrottleInterval: math.NaN()},
		`session.access_rights["a"].limit`:        {AccessRights: right(&wire.AccessDefinition{Limit: &wire.APILimit{Per: math.Inf(1)}})},
		`session.access_rights["a"].endpoints`:    {AccessRights: right(&wire.AccessDefinition{Endpoints: []*wire.EndpointLimit{{Methods: []*wire.MethodLimit{{Rate: math.NaN()}}}}})},
		`session.access_rights["a"].extra["limit`: {AccessRights: right(&wire.AccessDefinition{Extra: map[string]string{"limit": "{}"}})},
		`session.extra["org_id"]`:                 {Extra: map[string]string{"org_id": `"evil"`}},
		`session.extra["Iſ_inactive"]`:            {Extra: map[string]string{"I\u017f_inactive": "false"}},
		`session.extra["new"]: not JSON`:          {Extra: map[string]string{"new": "{"}},
		`session.metadata_json["a"]: not JSON`:    {MetadataJson: map[string]string{"a": "1 2"}},
		"session.monitor.trigger_limits":          {Monitor: &wire.Monitor{TriggerLimits: []float64{1, math.NaN()}}},
	} {
		p.edits(func(o *wire.Object) { o.Session, o.Metadata = s, map[string]string{"token": "t"} })
		x := exchange(t, "GET /t/a", "")
		resp, err := b.Request(within(t), x)
		wantFault(t, resp, err, field)
		if x.Session != nil {
			t.Errorf("%s: session %+v", field, x.Session)
		}
	}
}

// C-18: sessions that other hooks return are ignored.
func TestSessionIgnored(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatNative)
	p.edits(func(o *wire.Object) { o.Session, o.Metadata = &wire.SessionState{}, map[string]string{"token": "evil"} })
	for _, stage := range []grapnel.Stage{grapnel.Pre, grapnel.PostKeyAuth, grapnel.Post} {
		x := exchange(t, "GET /t/a", "")
		x.Session = fullSession()
		pass(t, bind(t, c, testAPI(), stage), x)
		if diff := cmp.Diff(fullSession(), x.Session); diff != "" {
			t.Errorf("%s: %s", stage, diff)
		}
	}
}

// The test of all fields is worth something only while fullSession is full.
func TestFullSession(t *testing.T) {
	sessionState(fullSession(), false).ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if m, ok := v.Interface().(protoreflect.Message); ok && proto.Size(m.Interface()) == 0 {
			t.Errorf("%s is empty", f.Name())
		}
		return true
	})
}
