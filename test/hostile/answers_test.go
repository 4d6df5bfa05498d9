package hostile

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// A misdeed is one way in which a plugin's answer is wrong.
type misdeed struct {
	label  string // the first verb of the hook, by which the log is searched
	verbs  string
	reason string // what the log must say, as an expression
}

// Misdeeds in any hook.
var anywhere = []misdeed{
	{"hangs", "hang", "deadline"},
	{"late", "sleep 1h", "deadline"},
	{"fails", "rpc 16", "scripted failure"},
	{"garbage", "garbage", "unmarshal|proto"},
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
	{"url-scheme", "url ://", "(?i)url"},
	{"url-empty", "url ", "(?i)url"},
	{"url-relative", "url foo/bar", "(?i)url"},
	{"url-control", `esc;url /a\nb`, "(?i)url"},
	{"url-host", "url http://[::1/x", "(?i)url"},
	{"url-escape", "url /%zz", "(?i)url"},
	{"method", "method GET /x HTTP/1.1", "method"},
	{"status-low", "ov 99", "(?i)status|response_code"},
	{"status-continue", "ov 100;ovbody x", "(?i)status|response_code"},
	{"status-switching", "ov 101;ovbody x", "(?i)status|response_code"},
	{"status-high", "ov 600;ovflag", "(?i)status|response_code"},
	{"status-error", "ov 600;overr not shown", "(?i)status|response_code"},
	{"status-large", "ov 2147483647", "(?i)status|response_code"},
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
// happened to whom, and the neighbour notices nothing
// [A-30, A-31, A-41, L-7, L-11, L-12].
func TestMisdeeds(t *testing.T) {
	server := startPlugin(t, "127.0.0.1:0")
	var apis []object
	for _, c := range trials() {
		verbs := c.label + ";" + c.verbs
		if c.stage == "auth" { // it would let the caller pass, but for the misdeed
			verbs = c.label + ";auth sesame;" + c.verbs
		}
		apis = append(apis, at(c.stage, c.id, "hostile", verbs))
	}
	s := newSite(t, server.Target, apis...)
	s.neighbour(t)
	for _, c := range trials() {
		t.Run(c.stage+"/"+c.label, func(t *testing.T) {
			r := s.must(t, c.id)
			s.checkFailure(t, c.stage, c.id, c.label, c.reason, r)
			if c.label == "hangs" && r.took < timeout {
				t.Errorf("the plugin was given up after %v, before its %v", r.took, timeout)
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
	requestID := r.header.Get("X-Request-Id")
	if requestID == "" {
		t.Fatal("the error reply has no X-Request-Id")
	}
	line := s.AwaitLog(t, requestID, id, label)
	if !regexp.MustCompile(reason).MatchString(strings.ReplaceAll(line, label, "")) {
		t.Errorf("the log's line does not say %q: %s", reason, line)
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
