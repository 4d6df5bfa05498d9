package bodies

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// streams are APIs with one streamed hook each, on requests and on replies. Only
// who hangs is not waited for.
func streams(names ...string) apis {
	all := apis{}
	for _, n := range names {
		more := `"stream": true`
		if n == "Hang" {
			more += `, "timeout": "1s"`
		}
		all["up-"+n] = object{"post": []object{hook(n, more)}}
		all["down-"+n] = object{"response": []object{hook(n, more)}}
	}
	return all
}

// A body passes through the plugin piece by piece, in both directions: each line is
// answered before the next one is sent. Trailers come behind it.
func TestStreamedHooks(t *testing.T) {
	s := start(t, streams("Shout", "Pass"))
	for path, want := range map[string]func(string) string{"/up-Shout/echo": strings.ToUpper, "/down-Shout/echo": strings.ToUpper, "/up-Pass/echo": strings.ToLower} {
		body, input := io.Pipe()
		r := request(t, "POST", s.url(path), body)
		r.Trailer = http.Header{"X-Sum": nil}
		go io.WriteString(input, "zero\n")
		resp, err := client(t).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(resp.Body)
		lines.ReadString('\n')
		for _, line := range []string{"one\n", "two\n", strings.Repeat("x", 200<<10) + "\n"} {
			go io.WriteString(input, line)
			if got, err := lines.ReadString('\n'); err != nil || got != want(line) {
				t.Fatalf("%s: %.20q became %.20q, %v", path, line, got, err)
			}
		}
		r.Trailer.Set("X-Sum", "7")
		input.Close()
		rest, err := io.ReadAll(lines)
		if err != nil || len(rest) > 0 {
			t.Errorf("%s: left %q, %v", path, rest, err)
		}
		sum := "7"
		if strings.Contains(path, "Shout") {
			sum = "7!"
		}
		if touched := resp.Header.Get("X-Touched") + resp.Header.Get("X-Reply"); resp.Trailer.Get("X-Sum") != sum || touched == "" {
			t.Errorf("%s: trailer %v, header %v", path, resp.Trailer, resp.Header)
		}
		resp.Body.Close()
	}
}

// A streamed hook answers the client before the body, and ends one early.
func TestStreamedHooksDecide(t *testing.T) {
	s := start(t, streams("Deny", "Short", "Pass"))
	resp, text := do(t, request(t, "POST", s.url("/up-Deny/echo"), strings.NewReader("body")))
	if resp.StatusCode != 403 || !strings.Contains(text, "no such upload") {
		t.Errorf("got %d %q", resp.StatusCode, text)
	}
	if _, text = do(t, request(t, "POST", s.url("/up-Short/echo"), strings.NewReader("a longer body"))); text != "short" {
		t.Errorf("got %q", text)
	}
	if _, text = do(t, request(t, "GET", s.url("/down-Short/zeros?100000000"), nil)); text != "short" {
		t.Errorf("got %d bytes", len(text))
	}
	for _, method := range []string{"GET", "HEAD"} { // without a body the hook is asked all the same
		if resp, _ = do(t, request(t, method, s.url("/up-Pass/ignore"), nil)); resp.Header.Get("X-Touched") != "yes" {
			t.Errorf("%s: header %v", method, resp.Header)
		}
		if resp, _ = do(t, request(t, method, s.url("/down-Pass/ignore"), nil)); resp.Header.Get("X-Reply") != "touched" {
			t.Errorf("%s: header %v", method, resp.Header)
		}
	}
	if resp, text = do(t, request(t, "POST", s.url("/up-Pass/ignore"), strings.NewReader("not read"))); text != "done" {
		t.Errorf("an upstream that reads nothing: %d %q", resp.StatusCode, text)
	}
}

// A plugin that breaks or hangs amid a body fails the exchange while that is
// possible, and cuts the reply off then.
func TestStreamedHooksFail(t *testing.T) {
	s := start(t, streams("Break", "Hang", "None"))
	for _, name := range []string{"Break", "Hang"} {
		resp, text := do(t, request(t, "POST", s.url("/up-"+name+"/count"), strings.NewReader("body")))
		if resp.StatusCode != 500 || !strings.Contains(text, "Middleware error") {
			t.Errorf("%s: got %d %q", name, resp.StatusCode, text)
		}
		resp, err := client(t).Do(request(t, "GET", s.url("/down-"+name+"/zeros?1000"), nil))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(got) != "begin" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	s.AwaitLog(t, "the body has waited for the plugin for 1s")
	s.AwaitLog(t, "streaming the body", "broken")
}
