package fleet

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/store/storetest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

const noID = "Authorization field missing"

// anyone is a hook that lets everyone in, for the plugin need not be asked again
// for an hour, under a token that no request names.
func anyone(o *coprocess.Object) {
	o.Session = &coprocess.SessionState{QuotaMax: -1, IdExtractorDeadline: time.Now().Add(time.Hour).Unix()}
	o.Metadata = map[string]string{"token": "nobody-presents-this"}
}

// extracting is an API with an extractor.
func extracting(id, from, with string, config object) object {
	return custom(id, extractor(from, with, config))
}

// TestExtractor: where ids are found, and that a known one costs no call
// [I-3…I-13].
func TestExtractor(t *testing.T) {
	header := object{"header_name": "Authorization"}
	regex := func(expression string, index int) object {
		return object{"header_name": "Authorization", "regex_expression": expression, "regex_match_index": index}
	}
	disabled := custom("T-151", valueOfHeader())
	disabled["custom_middleware"].(object)["id_extractor"].(object)["disabled"] = true
	document := func(key string) string { return "<object><key>" + key + "</key></object>" }
	xpath := object{"xpath_expression": "//object/key"}
	never := func(deadline int64) hook {
		return gives(&coprocess.SessionState{QuotaMax: -1, IdExtractorDeadline: deadline})
	}
	tell(t, storetest.Redis(t),
		story{id: "T-151", hook: gives(&coprocess.SessionState{IdExtractorDeadline: 4e9}), api: disabled,
			turns: []turn{passes("t151"), passes("t151")}, asked: 2},
		story{id: "T-153", hook: accept(func() *coprocess.SessionState { return &coprocess.SessionState{IdExtractorDeadline: 4e9} }),
			api:   extracting("T-153", "header", "value", header),
			turns: []turn{passes("t153"), passes("t153"), refused("wrong", 403, "wrong credentials"), refused("wrong", 403, "wrong credentials")}, asked: 3},
		story{id: "T-154", hook: anyone, api: extracting("T-154", "form", "value", object{"param_name": "auth"}),
			turns: []turn{
				{path: "?auth=one", status: 200}, {path: "?auth=one&x=2", status: 200},
				{body: "auth=one&y=1", form: true, status: 200}, {body: "auth=two", form: true, status: 200},
				{path: "?auth=e", body: "auth=on", form: true, status: 200}, // together: one [I-3]
			}, asked: 2},
		story{id: "T-155", hook: anyone, api: extracting("T-155", "header", "regex", regex("[0-9]+", 0)),
			turns: []turn{passes("prefix-12345"), passes("other-12345"), passes("prefix-123")}, asked: 2},
		story{id: "T-156", hook: anyone, api: extracting("T-156", "header", "regex", regex("prefix-(.*)", 0)),
			turns: []turn{passes("prefix-testkey123"), passes("a prefix-testkey123"), passes("testkey123 prefix-")}, asked: 2},
		story{id: "T-157", hook: anyone, api: extracting("T-157", "header", "regex", regex("[0-9]+", 5)),
			turns: []turn{refused("prefix-1", 400, noID), passes("0 1 2 3 4 5")}, asked: 1},
		story{id: "T-158", hook: anyone, api: extracting("T-158", "body", "xpath", xpath),
			turns: []turn{
				{body: document("thevalue"), status: 200},
				{body: "<x>" + document("thevalue") + "</x>", status: 200},
				{body: document("thevalue"), chunked: true, status: 200}, // T-166
			}, asked: 1},
		story{id: "T-159", hook: anyone, api: extracting("T-159", "header", "value", header),
			turns: []turn{refused("", 400, noID)}},
		story{id: "T-160", hook: anyone, api: extracting("T-160", "form", "value", object{"param_name": "auth"}),
			turns: []turn{refused("x", 400, noID), {body: "auth=", form: true, status: 400, refusal: noID}}},
		story{id: "T-161", hook: anyone, api: extracting("T-161", "body", "xpath", xpath),
			turns: []turn{{body: "<object><key>", status: 400, refusal: noID}, {body: "<other/>", status: 400, refusal: noID}, {status: 400, refusal: noID}}},
		story{id: "T-162a", hook: never(0), api: extracting("T-162a", "header", "value", header),
			turns: []turn{passes("t162a"), passes("t162a"), passes("t162a")}, asked: 3},
		story{id: "T-162b", hook: never(1), api: extracting("T-162b", "header", "value", header),
			turns: []turn{passes("t162b"), passes("t162b"), passes("t162b")}, asked: 3},
		story{id: "T-166", hook: anyone, api: extracting("T-166", "body", "regex", object{"regex_expression": "id=[0-9]+"}),
			turns: []turn{
				{body: "id=7 and the rest", chunked: true, status: 200},
				{body: "another, id=7", chunked: true, status: 200},
			}, asked: 1},
		story{id: "throttled", hook: gives(&coprocess.SessionState{Rate: 2, Per: 60, IdExtractorDeadline: 4e9}),
			api:   extracting("throttled", "header", "value", header),
			turns: []turn{passes("fast"), passes("fast"), refused("fast", 429, overRate), refused("fast", 429, overRate)}, asked: 1},
		story{id: "spent", hook: gives(&coprocess.SessionState{QuotaMax: 2, QuotaRenewalRate: 60, IdExtractorDeadline: 4e9}),
			api:   extracting("spent", "header", "value", header),
			turns: []turn{passes("many"), passes("many"), refused("many", 403, overQuota)}, asked: 1},
	)
}

// TestExtractedSession: it is a key at the control API, under its id; deleted, or
// past its deadline, the plugin is asked again
// [T-150, T-163, T-164, T-167, I-10, I-16].
func TestExtractedSession(t *testing.T) {
	const key = "fleet900150983cd24fb0d6963f7d28e17f72" // of abc
	deadline := int64(1)                                // seconds
	s, g := tell(t, storetest.Redis(t), story{id: "T-164", api: extracting("T-164", "header", "value", object{"header_name": "Authorization"}),
		hook: func(o *coprocess.Object) {
			gives(&coprocess.SessionState{QuotaMax: -1, IdExtractorDeadline: time.Now().Unix() + deadline})(o)
			o.Request.SetHeaders = map[string]string{"X-From-Plugin": "1"}
		}, turns: []turn{passes("abc")}, asked: 1})
	if r, _ := s.upstream.seen(); r.Header.Get("X-From-Plugin") != "1" {
		t.Error("the plugin's header did not reach the upstream")
	}
	// Until the deadline is past, it depends on the moment whether it is asked.
	await(t, "asked again", func() bool { g.get(t, "/T-164/", "abc"); return s.plugin.called("T-164") > 1 })

	deadline = 3600
	g.command(t, http.MethodDelete, "/keys/"+key, nil)
	asked := s.plugin.called("T-164")
	for i := range 3 {
		if r := g.get(t, "/T-164/", "abc"); r.status != http.StatusOK || s.plugin.called("T-164") != asked+1 {
			t.Errorf("request %d after the deletion: %d, and the plugin was asked %d times more", i+1, r.status, s.plugin.called("T-164")-asked)
		}
	}
	if r, _ := s.upstream.seen(); r.Header.Get("X-From-Plugin") != "" {
		t.Error("the plugin was not asked, and its header reached the upstream all the same")
	}
	g.command(t, http.MethodGet, "/keys/"+key, nil)
	if r := g.ask(t, http.MethodGet, "/keys/abc", nil); r.status != http.StatusNotFound {
		t.Errorf("the session is found under its token, too: %d", r.status)
	}
	// What an operator changes holds, while the plugin is not asked.
	g.command(t, http.MethodPut, "/keys/"+key, object{"org_id": org, "is_inactive": true, "id_extractor_deadline": 4_000_000_000, "access_rights": rights("T-164")})
	if r := g.get(t, "/T-164/", "abc"); r.refusal() != "Key is inactive, please renew" {
		t.Errorf("the changed session: %d %s", r.status, r.body)
	}
}

// TestExtractorIgnoresBaseIdentity: the session of a known id is attached even
// where the plugin's never is, since the base identity is another [T-169, I-11].
func TestExtractorIgnoresBaseIdentity(t *testing.T) {
	other := custom("let in", valueOfHeader())
	other["base_identity_provided_by"] = "auth_token" // which the API does not have
	s := newTykSite(t, storetest.Redis(t), nil, definition("other", other), definition("own", custom("let in", valueOfHeader())))
	s.plugin.on("let in", gives(&coprocess.SessionState{QuotaMax: 100, QuotaRenewalRate: 60, IdExtractorDeadline: 4e9}))
	g := s.start(t)
	for i, turn := range []struct {
		id     string
		status int
	}{{"other", 400}, {"own", 200}, {"other", 200}} {
		if r := g.get(t, "/"+turn.id+"/", "someone"); r.status != turn.status {
			t.Errorf("request %d, of %s: %d %s, want %d", i+1, turn.id, r.status, r.body, turn.status)
		}
	}
	if n := s.plugin.called("let in"); n != 2 {
		t.Errorf("the plugin was asked %d times, want 2", n)
	}
}

// TestSharedIDIsRefused: a configuration under which all callers would share one
// session does not get as far as a request [T-165, L-33].
func TestSharedIDIsRefused(t *testing.T) {
	s := newTykSite(t, storetest.Redis(t), nil,
		definition("open", object{"use_keyless": true}), definition("T-165", extracting("T-165", "body", "value", object{})))
	addr := program.FreeAddr(t)
	s.conf["listen_address"] = strings.Split(addr, ":")[0]
	file := filepath.Join(t.TempDir(), "tyk.conf")
	write(t, file, s.conf)
	g, err := program.TryStart(t, addr, "run", "--tyk-conf", file, "--listen", addr)
	if err != nil {
		if !strings.Contains(err.Error(), "T-165.json") {
			t.Errorf("the gateway ended without naming the definition: %v", err)
		}
		return
	}
	g.AwaitLog(t, "T-165.json", "share one session")
	if r, err := (&gateway{Gateway: g, client: s.client}).try("/T-165/", "x"); err != nil || r.status != http.StatusNotFound {
		t.Errorf("the API is served: %d (%v)", r.status, err)
	}
}
