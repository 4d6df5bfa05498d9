package bodies

import (
	"fmt"
	"io"
	"net/http"
	"testing"
)

// gigabyte passes through the gateway, which may have a quarter of it.
const (
	gigabyte = 1 << 30
	most     = 256 << 20
)

// Uploads and downloads of any size pass hooks that are sent no body, and plugins
// that they pass through, in bounded memory [L-27].
func TestGigabytes(t *testing.T) {
	none := hook("Touch", `"send": {"body": "none"}`)
	begin := hook("Touch", `"send": {"body": "64KiB", "body_over": "truncate"}`)
	stream := hook("Pass", `"stream": true`)
	s := start(t, apis{
		"headers": {"pre": []object{none}, "post": []object{none}, "response": []object{none}},
		"begin":   {"post": []object{begin}, "response": []object{begin}},
		"stream":  {"post": []object{stream}, "response": []object{stream}},
	})
	for _, api := range []string{"headers", "begin", "stream"} {
		t.Run(api+"/up", func(t *testing.T) {
			r := request(t, "POST", s.url("/"+api+"/count"), io.LimitReader(zeros{}, gigabyte))
			resp, text := do(t, r)
			if want := fmt.Sprintln(gigabyte, "<nil>"); text != want || resp.Header.Get("X-Touched") != "yes" {
				t.Errorf("the upstream got %q, header %v", text, resp.Header)
			}
		})
		t.Run(api+"/down", func(t *testing.T) {
			resp, err := client(t).Do(request(t, "GET", s.url(fmt.Sprintf("/%s/zeros?%d", api, gigabyte)), nil))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if n, err := io.Copy(io.Discard, resp.Body); n != gigabyte || err != nil || resp.Header.Get("X-Reply") != "touched" {
				t.Errorf("the client got %d bytes, %v, header %v", n, err, resp.Header)
			}
		})
		if peak := s.PeakMemory(t); peak > most {
			t.Errorf("%s: the gateway had %d MiB", api, peak>>20)
		} else {
			t.Logf("%s: the gateway had %d MiB", api, peak>>20)
		}
	}
}

// An event reaches the client through Response hooks before the upstream has ended,
// which it does when the client leaves [L-27].
func TestEvents(t *testing.T) {
	s := start(t, apis{
		"headers": {"response": []object{hook("Touch", `"send": {"body": "none"}`)}},
		"stream":  {"response": []object{hook("Shout", `"stream": true`)}},
	})
	for api, want := range map[string]string{"headers": "data: 1\n", "stream": "DATA: 1\n"} {
		resp, err := client(t).Do(request(t, http.MethodGet, s.url("/"+api+"/events"), nil))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want || resp.Header.Get("X-Reply") != "touched" {
			t.Errorf("%s: got %q, %v", api, got, err)
		}
		resp.Body.Close()
	}
}
