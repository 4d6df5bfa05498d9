package hostile

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A misdeed is one way in which a plugin's answer is wrong.
type misdeed struct {
	label  string // the first verb of the hook, by which the log is searched
	verbs  string
	reason string // what the log must say, as an expression
}

// Misdeeds in any hook.
var anywhere = []misdeed{
	{"hangs", "hang", "(?i)deadline"},
	{"late", "sleep 1h", "(?i)deadline"},
	{"fails", "rpc 16", "scripted failure"},
	{"garbage", "garbage", "unmarshal|proto: "},
	{"huge", "fill 2000000", "larger|exceed|size"},
}

// Misdeeds in answers about a request.
var inRequests = []misdeed{
	{"name-crlf", `esc;set X-A\r\nX-B=1`, "header"},
	{"name-colon", "set X-A:=1", "header"},
	{"name-space", "set X A=1", "header"},
	{"name-nul", `esc;set X\x00A=1`, "header"},
	{"name-empty", "set =1", "header"},
	{"name-deleted", `esc;del X\nA`, "header"},
	{"value-cr", `esc;set X-A=1\rX-B: 2`, "header"},
	{"value-lf", `esc;set X-A=1\nX-B: 2`, "header"},
	{"value-nul", `esc;set X-A=1\x002`, "header"},
	{"content-length", "set Content-Length=3", "(?i)content-length"},
	{"content-length-case", "set content-LENGTH=3", "(?i)content-length"},
	{"transfer-encoding", "set Transfer-Encoding=chunked", "(?i)transfer-encoding"},
	{"url-scheme", "url ://", "^url: "},
	{"url-empty", "url ", "^url: "},
	{"url-relative", "url foo/bar", "^url: "},
	{"url-control", `esc;url /a\nb`, "^url: "},
	{"url-host", "url http://[::1/x", "^url: "},
	{"url-escape", "url /%zz", "^url: "},
	{"method", "method GET /x HTTP/1.1", "method"},
	{"status-low", "ov 99", "response_code: .* status"},
	{"status-continue", "ov 100;ovbody x", "response_code: .* status"},
	{"status-switching", "ov 101;ovbody x", "response_code: .* status"},
	{"status-high", "ov 600;ovflag", "response_code: .* status"},
	{"status-error", "ov 600;overr not shown", "response_code: .* status"},
	{"status-large", "ov 2147483647", "response_code: .* status"},
	{"answer-name", "ov 200;ovh X A=1", "header"},
	{"answer-value", `ov 200;esc;ovh X-A=1\r\nX-B: 2`, "header"},
	{"answer-length", "ov 200;ovbody hello;ovh Content-Length=3", "(?i)content-length"},
	{"answer-encoding", "ov 200;ovbody hello;ovh Transfer-Encoding=chunked", "(?i)transfer-encoding"},
	{"refusal-value", `ov 403;esc;ovh X-A=1\r\nX-B: 2`, "header"},
}

// Misdeeds in answers about a reply.
var inResponses = []misdeed{
	{"no-response", "rnil", "response"},
	{"empty", "empty", "response"},
	{"status-zero", "rstatus 0", "status"},
	{"status-negative", "rstatus -1", "status"},
	{"status-low", "rstatus 99", "status"},
	{"status-switching", "rstatus 101", "status"},
	{"status-high", "rstatus 600", "status"},
	{"transfer-encoding", "rh Transfer-Encoding=chunked", "(?i)transfer-encoding"},
	{"name-colon", "rh X-A:=1", "header"},
	{"name-crlf", `esc;rh X-A\r\nX-B=1`, "header"},
	{"value-lf", `esc;rh X-A=1\nX-B: 2`, "header"},
	{"value-nul", `esc;rh X-A=1\x002`, "header"},
	{"list-name", "rmv X A=1", "header"},
	{"list-value", `esc;rmv X-A=1,2\r\nX-B: 2`, "header"},
}

// A trial is one misdeed in one stage.
type trial struct {
	misdeed
	stage, id string
}

// slowness is how long the gateway waits for a plugin that takes too long.
const slowness = 300 * time.Millisecond

// slow reports whether the plugin answers too late or never.
func (c trial) slow() bool { return strings.Contains(c.reason, "deadline") }

func trials() []trial {
	var all []trial
	add := func(stage string, lists ...[]misdeed) {
		for _, list := range lists {
			for _, m := range list {
				all = append(all, trial{m, stage, strings.ReplaceAll(stage, "_", "") + "-" + m.label})
			}
		}
	}
	for _, stage := range []string{"pre", "auth", "post_key_auth", "post"} {
		add(stage, anywhere, inRequests)
	}
	add("response", anywhere, inResponses)
	return all
}

// TestMisdeeds: whatever a plugin answers, if it answers at all, the client
// gets the documented reply, no hook's request goes upstream, the log says what
// happened to whom, and the neighbours notice nothing
// [A-30, A-31, A-41, L-7, L-11, L-12].
func TestMisdeeds(t *testing.T) {
	server := startPlugin(t, "127.0.0.1:0")
	var apis []object
	for _, c := range trials() {
		verbs := c.label + ";" + c.verbs
		if c.stage == "auth" { // it would let the caller pass, but for the misdeed
			verbs = c.label + ";auth sesame;" + c.verbs
		}
		a := at(c.stage, c.id, "hostile", verbs)
		if c.slow() {
			bound(a, c.stage, slowness.String())
		}
		apis = append(apis, a)
	}
	s := newSite(t, server.Target, apis...)
	s.neighbours(t, "neighbour", "kin")
	for _, c := range trials() {
		t.Run(c.stage+"/"+c.label, func(t *testing.T) {
			r := s.must(t, c.id)
			s.checkFailure(t, c.stage, c.id, c.label, c.reason, r)
			if c.slow() && r.took < slowness {
				t.Errorf("the plugin was given up after %v, before its %v", r.took, slowness)
			}
			if got := len(server.Calls(t, c.id)); got != 1 {
				t.Errorf("the plugin was called %d times, want once", got)
			}
		})
	}
}

// checkFailure checks the reply to an exchange whose plugin failed, and the
// log's line about it.
func (s *site) checkFailure(t *testing.T, stage, id, label, reason string, r reply) {
	t.Helper()
	status, message := http.StatusInternalServerError, "Middleware error"
	if stage == "auth" {
		status, message = http.StatusForbidden, "Key not authorised"
	}
	if want := "{\n    \"error\": \"" + message + "\"\n}"; r.status != status || r.body != want {
		t.Errorf("reply is %d %q, want %d %q", r.status, r.body, status, want)
	}
	wantCount := 0
	if stage == "response" {
		wantCount = 1
	}
	if got := s.upstream.take(id); got != wantCount {
		t.Errorf("the upstream saw %d requests, want %d", got, wantCount)
	}
	if r.header.Get("X-Up") != "" || r.header.Get("X-A") != "" || r.header.Get("X-B") != "" {
		t.Errorf("headers leaked into the reply: %v", r.header)
	}
	s.checkLog(t, r.header.Get("X-Request-Id"), id, label, reason)
}

// checkLog checks that the log tells of a failed exchange which API, which hook
// and why, under the id that the client was given.
func (s *site) checkLog(t *testing.T, requestID, id, label, reason string) {
	t.Helper()
	if requestID == "" {
		t.Fatal("the error reply has no X-Request-Id")
	}
	text := s.AwaitLog(t, requestID, "exchange failed")
	var line struct{ API, Error string }
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	hook, why, _ := strings.Cut(line.Error, `of plugin "hostile": `)
	if line.API != id || !strings.Contains(hook, label+";") && !strings.Contains(hook, `"`+label+`"`) {
		t.Errorf("the log does not name API %q and hook %q: %s", id, label, text)
	}
	if !regexp.MustCompile(reason).MatchString(why) {
		t.Errorf("the log gives %q as the reason, want %q", why, reason)
	}
}

// TestLenience: what is missing from an answer about a request means that there
// is nothing to change [L-12, T-59, T-60]; the length in an answer about a reply
// has no effect, since plugins get it with the reply and the gateway counts for
// itself.
func TestLenience(t *testing.T) {
	server := startPlugin(t, "127.0.0.1:0")
	cases := []struct{ id, stage, verbs string }{
		{"pre-empty", "pre", "empty"},
		{"pre-norequest", "pre", "norequest"},
		{"pre-nooverrides", "pre", "nooverrides"},
		{"post-empty", "post", "empty"},
		{"pka-empty", "post_key_auth", "empty"},
		{"auth-norequest", "auth", "auth sesame;norequest"},
		{"auth-nooverrides", "auth", "auth sesame;nooverrides"},
		{"pre-slow", "pre", "sleep 100ms"},
		{"pre-large", "pre", "fill 500000"},
		{"pre-negative", "pre", "ov -5;ovbody not shown"},
		{"response-length", "response", "rh Content-Length=3"},
	}
	var apis []object
	for _, c := range cases {
		apis = append(apis, at(c.stage, c.id, "hostile", c.verbs))
	}
	s := newSite(t, server.Target, apis...)
	for _, c := range cases {
		t.Run(c.id, func(t *testing.T) {
			r := s.must(t, c.id)
			if want := `"request":"POST /x?q=1 payload"}`; r.status != http.StatusOK || !strings.Contains(r.body, want) {
				t.Errorf("reply is %d %q, want 200 and the echo of the request as it was sent: %s", r.status, r.body, want)
			}
		})
	}
}

// TestAuthWithoutProof: a plugin that says nothing has not proved who is
// calling [C-4].
func TestAuthWithoutProof(t *testing.T) {
	server := startPlugin(t, "127.0.0.1:0")
	verbs := map[string]string{
		"empty": "empty", "noop": "noop", "nosession": "auth sesame;nosession", "notoken": "auth sesame;notoken",
	}
	var apis []object
	for id, v := range verbs {
		apis = append(apis, at("auth", id, "hostile", v))
	}
	s := newSite(t, server.Target, apis...)
	for id := range verbs {
		t.Run(id, func(t *testing.T) {
			r := s.must(t, id)
			if want := "{\n    \"error\": \"Forbidden\"\n}"; r.status != http.StatusForbidden || r.body != want {
				t.Errorf("reply is %d %q, want 403 %q", r.status, r.body, want)
			}
			if n := s.upstream.take(id); n != 0 {
				t.Errorf("the upstream saw %d requests", n)
			}
		})
	}
}
