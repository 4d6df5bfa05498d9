package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkProxy measures one exchange without hooks, client and upstream
// included, next to the same through httputil.ReverseProxy.
func BenchmarkProxy(b *testing.B) {
	reply := make([]byte, 512)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(reply) }))
	defer up.Close()
	theirs := httptest.NewServer(reverseProxy(b, up.URL+"/"))
	defer theirs.Close()
	for _, c := range []struct{ name, url string }{
		{"direct", up.URL},
		{"ReverseProxy", theirs.URL},
		{"Grapnel", proxy(b, up.URL).url},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			client := client(b, http1)
			for b.Loop() {
				resp, err := client.Get(c.url)
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
}
