package bodies

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

// Response hooks are asked about what the gateway and other hooks made, if they
// say so; they may answer in the reply's place, if they say so [L-26].
func TestGatewayReplies(t *testing.T) {
	answer, headerOnly := hook("Answer", ""), `"send": {"body": "none"}`
	s := start(t, apis{
		"plain":    {"pre": []object{answer}, "response": []object{hook("Touch", headerOnly)}},
		"gateway":  {"pre": []object{answer}, "response": []object{hook("Touch", headerOnly+`, "on": ["gateway"]`)}},
		"fails":    {"pre": []object{hook("None", `"timeout": "1ns"`)}, "response": []object{hook("Touch", headerOnly+`, "on": ["gateway", "upstream"]`)}},
		"both":     {"response": []object{hook("Touch", headerOnly+`, "on": ["gateway", "upstream"]`)}},
		"none":     {"response": []object{hook("Touch", headerOnly+`, "on": ["gateway"]`)}},
		"instead":  {"response": []object{hook("Instead", headerOnly+`, "may_override": true`), hook("Touch", headerOnly)}},
		"recovers": {"pre": []object{answer}, "response": []object{hook("Instead", headerOnly+`, "on": ["gateway"], "may_override": true`)}},
		"answers":  {"response": []object{hook("Answer", headerOnly+`, "may": {"override": true}`), hook("Touch", headerOnly)}},
		"ignored":  {"response": []object{hook("Instead", headerOnly)}},
	})
	for path, want := range map[string]struct {
		status int
		text   string
		header string // X-Reply
	}{
		"/plain/ignore":    {418, "answered", ""},
		"/gateway/ignore":  {418, "answered", "touched"},
		"/fails/ignore":    {500, "Middleware error", "touched"},
		"/both/ignore":     {200, "done", "touched"},
		"/none/ignore":     {200, "done", ""},
		"/instead/ignore":  {202, "instead of 200", ""},
		"/recovers/ignore": {202, "instead of 418", ""},
		"/answers/ignore":  {418, "answered", ""},
		"/ignored/ignore":  {200, "done", ""},
	} {
		resp, text := do(t, request(t, "POST", s.url(path), strings.NewReader("body")))
		if resp.StatusCode != want.status || !strings.Contains(text, want.text) || resp.Header.Get("X-Reply") != want.header {
			t.Errorf("%s: got %d %q, header %v", path, resp.StatusCode, text, resp.Header)
		}
	}
}

// A Response hook reads a compressed reply, and the client gets one [L-28].
func TestCompressedReplies(t *testing.T) {
	s := start(t, apis{"a": {"response": []object{hook("Upper", `"send": {"decode_body": true}`)}}})
	var zipped, brotlied bytes.Buffer
	z, b := gzip.NewWriter(&zipped), brotli.NewWriter(&brotlied)
	z.Write([]byte("text"))
	b.Write([]byte("text"))
	z.Close()
	b.Close()
	for coding, body := range map[string][]byte{"gzip": zipped.Bytes(), "br": brotlied.Bytes()} {
		r := request(t, "POST", s.url("/a/coded"), bytes.NewReader(body))
		r.Header.Set("Content-Encoding", coding)
		resp, text := do(t, r)
		var got bytes.Buffer
		if coding == "br" {
			got.ReadFrom(brotli.NewReader(strings.NewReader(text)))
		} else if u, err := gzip.NewReader(strings.NewReader(text)); err == nil {
			got.ReadFrom(u)
		}
		if got.String() != "TEXT" || resp.Header.Get("Content-Encoding") != coding {
			t.Errorf("%s: got %q, header %v", coding, text, resp.Header)
		}
	}
}

// What a hook may not change fails it, and the log says which hook and what.
func TestMay(t *testing.T) {
	s := start(t, apis{
		"may":     {"post": []object{hook("Touch", `"may": {"set_headers": ["X-*"]}`)}},
		"may-not": {"post": []object{hook("Touch", `"may": {"set_headers": ["Y-*"]}`)}},
	})
	if resp, _ := do(t, request(t, "GET", s.url("/may/ignore"), nil)); resp.StatusCode != 200 || resp.Header.Get("X-Touched") != "yes" {
		t.Errorf("got %d, header %v", resp.StatusCode, resp.Header)
	}
	if resp, _ := do(t, request(t, "GET", s.url("/may-not/ignore"), nil)); resp.StatusCode != 500 {
		t.Errorf("got %d", resp.StatusCode)
	}
	s.AwaitLog(t, `hook \"Touch\"`, `set_headers[\"X-Touched\"]: the hook may not change it`)
}
