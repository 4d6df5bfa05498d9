package upstream

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// answering is a client that has the reply at hand.
type answering struct{ resp *http.Response }

func (a answering) RoundTrip(*http.Request) (*http.Response, error) { return a.resp, nil }
func (answering) CloseIdleConnections()                             {}

// BenchmarkHandle is what the stage itself costs, without the exchange with the
// upstream.
func BenchmarkHandle(b *testing.B) {
	api := &grapnel.API{ID: "a"}
	api.SetDefaults()
	target := &grapnel.URL{}
	if err := target.UnmarshalText([]byte("http://127.0.0.1:9000")); err != nil {
		b.Fatal(err)
	}
	api.ListenPath, api.Targets = "/t/", []*grapnel.URL{target}
	s := &stage{api: api, timeout: 30e9, plain: answering{&http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}}}
	in := httptest.NewRequest(http.MethodGet, "/t/path?q=1", nil)
	in.RemoteAddr = "127.0.0.1:40000"
	in.Header = http.Header{"User-Agent": {"bench"}, "Accept": {"*/*"}, "Accept-Encoding": {"gzip"}, "Authorization": {"Bearer x"}}
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		r := *in
		x := &grapnel.Exchange{ID: "id-1", API: api, Prefix: "/t/", Request: r.WithContext(ctx)}
		if _, err := s.handle(x); err != nil {
			b.Fatal(err)
		}
	}
}
