package limit_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/limit"
)

const tooLarge = "Request Entity Too Large"

// A body that is announced too large is refused before it is read.
func TestBodyAnnounced(t *testing.T) {
	api := &grapnel.API{MaxBody: 10}
	for length, status := range map[int64]int{0: 0, 10: 0, 11: 413} {
		x := exchange(api, "POST", "/app/x")
		x.Request.ContentLength = length
		x.Request.Body = io.NopCloser(iotest.ErrReader(errors.New("the body was read")))
		_, err := limit.Body(api)(served)(x)
		refused(t, err, status, tooLarge)
	}
}

// However it is read, a body within the limit arrives whole, and one beyond it
// fails with a 413 after exactly as many bytes as are allowed.
func TestBodyUnannounced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		allowed := rapid.IntRange(1, 40).Draw(t, "allowed")
		sent := strings.Repeat("x", rapid.IntRange(0, 80).Draw(t, "sent"))
		plain := func(r io.Reader) io.Reader { return r }
		client := rapid.SampledFrom([]func(io.Reader) io.Reader{plain, iotest.OneByteReader, iotest.DataErrReader}).Draw(t, "client")
		hook := rapid.SampledFrom([]func(io.Reader) io.Reader{plain, iotest.OneByteReader, iotest.HalfReader}).Draw(t, "hook")
		api := &grapnel.API{MaxBody: grapnel.Size(allowed)}
		x := exchange(api, "POST", "/app/x")
		x.Request.ContentLength = -1
		x.Request.Body = io.NopCloser(client(strings.NewReader(sent)))
		var got []byte
		_, err := limit.Body(api)(func(x *grapnel.Exchange) (*http.Response, error) {
			b, err := io.ReadAll(hook(x.Request.Body))
			got = b
			if err != nil {
				return nil, err
			}
			return served(x)
		})(x)
		if len(got) != min(len(sent), allowed) {
			t.Errorf("%d bytes arrived", len(got))
		}
		e, large := errors.AsType[*grapnel.Error](err)
		if large != (len(sent) > allowed) {
			t.Errorf("%d bytes of %d allowed: %v", len(sent), allowed, err)
		}
		if large && (e.Status != 413 || e.Code != grapnel.CodeBodyTooLarge) {
			t.Errorf("got %v", e)
		}
	})
}

// Over real sockets, streamed to an upstream as it comes or buffered first: the
// 413 survives the HTTP client between.
func TestBodyOverSockets(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Read", strconv.FormatInt(n, 10))
	}))
	defer upstream.Close()
	api := &grapnel.API{MaxBody: 64 << 10}
	stream := func(x *grapnel.Exchange) (*http.Response, error) {
		r, err := http.NewRequestWithContext(x.Request.Context(), "POST", upstream.URL, x.Request.Body)
		if err != nil {
			return nil, err
		}
		return upstream.Client().Transport.RoundTrip(r)
	}
	buffer := func(x *grapnel.Exchange) (*http.Response, error) {
		if _, err := x.Body(); err != nil {
			return nil, err
		}
		return stream(x)
	}
	for name, h := range map[string]grapnel.Handler{"stream": stream, "buffer": buffer} {
		gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			res, err := limit.Body(api)(h)(&grapnel.Exchange{API: api, Request: r})
			if err != nil {
				w.WriteHeader(grapnel.AsError(err).Status)
				return
			}
			defer res.Body.Close()
			w.Header().Set("X-Read", res.Header.Get("X-Read"))
		}))
		for _, c := range []struct{ size, status int }{{64 << 10, 200}, {64<<10 + 1, 413}, {1 << 20, 413}} {
			body := io.MultiReader(strings.NewReader(strings.Repeat("x", c.size))) // hides the length
			res, err := gateway.Client().Post(gateway.URL, "text/plain", body)
			if err != nil {
				t.Fatalf("%s, %d bytes: %v", name, c.size, err)
			}
			res.Body.Close()
			if res.StatusCode != c.status {
				t.Errorf("%s, %d bytes: got %d, want %d", name, c.size, res.StatusCode, c.status)
			}
			if want := strconv.Itoa(c.size); c.status == 200 && res.Header.Get("X-Read") != want {
				t.Errorf("%s: the upstream read %s bytes of %s", name, res.Header.Get("X-Read"), want)
			}
		}
		gateway.Close()
	}
}
