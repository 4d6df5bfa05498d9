package bodies

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"pgregory.net/rapid"
)

// Whatever body passes hooks that leave it alone, in pieces or unseen, arrives byte
// for byte, with its trailers, over HTTP/1.1 and HTTP/2.
func TestLossless(t *testing.T) {
	none, stream := hook("Touch", `"send": {"body": "none"}`), hook("Pass", `"stream": true`)
	part := hook("Touch", `"send": {"body": "10KB", "body_over": "truncate"}`)
	s := start(t, apis{
		"unseen": {"pre": []object{none}, "post": []object{none}, "response": []object{none}},
		"part":   {"pre": []object{part}, "post": []object{part}, "response": []object{part}},
		"pieces": {"post": []object{stream, stream}, "response": []object{stream, stream}},
		"mixed":  {"pre": []object{none}, "post": []object{stream, hook("Touch", "")}, "response": []object{part, stream, hook("Touch", "")}},
	})
	for name, protocol := range map[string]func(*http.Protocols, bool){"h1": (*http.Protocols).SetHTTP1, "h2c": (*http.Protocols).SetUnencryptedHTTP2} {
		t.Run(name, func(t *testing.T) {
			protocols := new(http.Protocols)
			protocol(protocols, true)
			transport := &http.Transport{Protocols: protocols, DisableCompression: true}
			defer transport.CloseIdleConnections()
			rapid.Check(t, func(rt *rapid.T) {
				body := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(rt, "bytes"), rapid.IntRange(1, 3000).Draw(rt, "times"))
				sum := rapid.StringMatching(`[!-~]{1,20}`).Draw(rt, "trailer")
				api := rapid.SampledFrom([]string{"unseen", "part", "pieces", "mixed"}).Draw(rt, "api")
				r, err := http.NewRequestWithContext(t.Context(), "POST", s.url("/"+api+"/echo"), io.MultiReader(bytes.NewReader(body)))
				if err != nil {
					rt.Fatal(err)
				}
				r.Trailer = http.Header{"X-Sum": {sum}}
				resp, err := transport.RoundTrip(r)
				if err != nil {
					rt.Fatal(err)
				}
				defer resp.Body.Close()
				got, err := io.ReadAll(resp.Body)
				if err != nil || !bytes.Equal(got, body) || resp.Trailer.Get("X-Sum") != sum || resp.Header.Get("X-Reply") != "touched" {
					rt.Errorf("sent %d bytes, got %d (%v), status %d, trailer %v", len(body), len(got), err, resp.StatusCode, resp.Trailer)
				}
			})
		})
	}
}
