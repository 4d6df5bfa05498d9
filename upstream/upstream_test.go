package upstream

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// seen is what an upstream saw of a request.
type seen struct {
	Proto, Method, URI, Host, Body string
	Length                         int64
	Header                         http.Header
}

// echo starts an upstream that answers with what it saw.
func echo(t *testing.T, start func(*httptest.Server)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		json.NewEncoder(w).Encode(seen{r.Proto, r.Method, r.RequestURI, r.Host, string(b), r.ContentLength, r.Header})
	}))
	start(s)
	t.Cleanup(s.Close)
	return s
}

func handler(t *testing.T, api *grapnel.API, server grapnel.Server) grapnel.Handler {
	t.Helper()
	transports := NewTransports(slog.New(slog.DiscardHandler))
	h, err := Handler(api, server, transports)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transports.Close)
	return h
}

func send(t *testing.T, h grapnel.Handler, x *grapnel.Exchange) seen {
	t.Helper()
	resp, err := h(x)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got seen
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

// everyClient runs a test with both clients that there are for HTTP/1.1.
func everyClient(t *testing.T, test func(*testing.T, grapnel.UpstreamClient)) {
	for _, c := range []grapnel.UpstreamClient{grapnel.ClientDirect, grapnel.ClientStandard} {
		t.Run(string(c), func(t *testing.T) { test(t, c) })
	}
}

func TestProtocols(t *testing.T) {
	for _, c := range []struct {
		scheme, want string
		start        func(*httptest.Server)
	}{
		{"http", "HTTP/1.1", (*httptest.Server).Start},
		{"ws", "HTTP/1.1", (*httptest.Server).Start},
		{"https", "HTTP/1.1", (*httptest.Server).StartTLS},
		{"https", "HTTP/2.0", func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }},
		{"wss", "HTTP/2.0", func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }},
		{"h2c", "HTTP/2.0", func(s *httptest.Server) {
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			s.Start()
		}},
	} {
		t.Run(c.scheme+" "+c.want, func(t *testing.T) {
			up := echo(t, c.start)
			_, address, _ := strings.Cut(up.URL, "://")
			api := apiOf(t, c.scheme+"://"+address)
			api.InsecureSkipVerify = true
			x := exchange(t, api, http.MethodPost, "/t/x")
			x.SetBody([]byte("hello"))
			got := send(t, handler(t, api, grapnel.Server{}), x)
			if got.Proto != c.want || got.Body != "hello" || got.Length != 5 {
				t.Errorf("got %+v, want %s and the body", got, c.want)
			}
		})
	}
}

func TestDirectlyThroughTLS(t *testing.T) {
	api := apiOf(t, echo(t, func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }).URL)
	api.InsecureSkipVerify, api.Client = true, grapnel.ClientDirect
	if got := send(t, handler(t, api, grapnel.Server{}), exchange(t, api, http.MethodGet, "/t/x")); got.Proto != "HTTP/1.1" {
		t.Errorf("got %+v", got)
	}
}

func TestCertificateIsVerified(t *testing.T) { everyClient(t, testCertificateIsVerified) }

func testCertificateIsVerified(t *testing.T, client grapnel.UpstreamClient) {
	api := apiOf(t, echo(t, (*httptest.Server).StartTLS).URL)
	api.Client = client
	_, err := handler(t, api, grapnel.Server{})(exchange(t, api, http.MethodGet, "/t/x"))
	if e := grapnel.AsError(err); e.Status != 500 || e.Message != messageFailed {
		t.Errorf("a certificate of nobody's: %v", err)
	}
}

func TestExchangeAfterwards(t *testing.T) { everyClient(t, testExchangeAfterwards) } // B-29, A-13

func testExchangeAfterwards(t *testing.T, client grapnel.UpstreamClient) {
	up := echo(t, (*httptest.Server).Start)
	api := apiOf(t, up.URL+"/base?k=v")
	api.Client = client
	x := exchange(t, api, http.MethodGet, "/t/x?q=1")
	x.Request.Header = http.Header{"X-A": {"1"}, "Connection": {"close"}, "Te": {"trailers"}}
	x.Rewrite, x.RewriteMethod = parse(t, "/t/y?q=2"), http.MethodDelete
	got := send(t, handler(t, api, grapnel.Server{}), x)

	host := strings.TrimPrefix(up.URL, "http://")
	want := seen{
		Proto: "HTTP/1.1", Method: http.MethodDelete, URI: "/base/y?k=v&q=2", Host: host,
		Header: http.Header{
			"X-A": {"1"}, "Te": {"trailers"}, "X-Request-Id": {"id-1"},
			"X-Forwarded-For": {"192.0.2.1"}, "X-Forwarded-Host": {"example.com"}, "X-Forwarded-Proto": {"http"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the upstream saw: %s", diff)
	}
	r := x.Request
	if r.URL.String() != up.URL+"/base/y?k=v&q=2" || r.Method != http.MethodDelete || r.Host != "example.com" || x.Rewrite != nil || x.RewriteMethod != "" {
		t.Errorf("the exchange has %s %s for %s, rewrite %v %q", r.Method, r.URL, r.Host, x.Rewrite, x.RewriteMethod)
	}
	if diff := cmp.Diff(http.Header{"X-A": {"1"}, "Te": {"trailers"}}, r.Header); diff != "" {
		t.Errorf("the exchange's header: %s", diff)
	}
}

func TestPreserveHost(t *testing.T) { everyClient(t, testPreserveHost) } // 7.3

func testPreserveHost(t *testing.T, client grapnel.UpstreamClient) {
	up := echo(t, (*httptest.Server).Start)
	api := apiOf(t, up.URL)
	api.Client = client
	api.PreserveHost = true
	if got := send(t, handler(t, api, grapnel.Server{}), exchange(t, api, http.MethodGet, "/t/x")); got.Host != "example.com" {
		t.Errorf("Host %q, want the client's", got.Host)
	}
}

func TestTransportsAreShared(t *testing.T) {
	transports := NewTransports(slog.New(slog.DiscardHandler))
	one, two := settings{protocol: anyHTTP}, settings{protocol: anyHTTP, insecure: true}
	get := func(s settings) client {
		c, err := transports.get(s)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if get(one) != get(one) || get(one) == get(two) {
		t.Error("a transport is for equal settings, and for those only")
	}
}

func TestFailures(t *testing.T) { everyClient(t, testFailures) } // P-12, T-224

func testFailures(t *testing.T, client grapnel.UpstreamClient) {
	forever := make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			<-forever
		case "/abort":
			panic(http.ErrAbortHandler)
		}
		io.Copy(io.Discard, r.Body)
	}))
	defer up.Close()
	defer close(forever)
	gone := httptest.NewServer(nil)
	gone.Close()

	chunked := func(body io.Reader) func(*grapnel.Exchange) {
		return func(x *grapnel.Exchange) {
			x.Request.Method, x.Request.Body, x.Request.ContentLength = http.MethodPost, io.NopCloser(body), -1
		}
	}
	tooLarge := &grapnel.Error{Status: 413, Message: "too large"}
	for _, c := range []struct {
		name, target, path string
		setup              func(*grapnel.Exchange)
		status             int
		message            string
	}{
		{"timeout", up.URL, "/t/hang", nil, 504, "Upstream service reached hard timeout."},
		{"lookup", "http://no..such..name", "/t/x", nil, 500, "Upstream host lookup failed"},
		{"nobody there", gone.URL, "/t/x", nil, 500, "There was a problem proxying the request"},
		{"no reply", up.URL, "/t/abort", nil, 500, "There was a problem proxying the request"},
		{"client gone", up.URL, "/t/hang", func(x *grapnel.Exchange) {
			ctx, cancel := context.WithCancel(x.Request.Context())
			cancel()
			x.Request = x.Request.WithContext(ctx)
		}, 499, "Client closed request"},
		{"client gone amid its body", up.URL, "/t/x", chunked(broken(io.ErrUnexpectedEOF)), 499, "Client closed request"},
		{"body over the limit", up.URL, "/t/x", chunked(broken(tooLarge)), 413, "too large"},
		{"body is no HTTP", up.URL, "/t/x", chunked(broken(errors.New("malformed chunk"))), 400, "The request body could not be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := apiOf(t, c.target)
			api.Client = client
			x := exchange(t, api, http.MethodGet, c.path)
			if c.setup != nil {
				c.setup(x)
			}
			server := grapnel.Server{Timeouts: grapnel.Timeouts{Upstream: grapnel.Duration(time.Minute)}}
			if c.status == 504 {
				server.Timeouts.Upstream = grapnel.Duration(20 * time.Millisecond)
			}
			_, err := handler(t, api, server)(x)
			if e := grapnel.AsError(err); e.Status != c.status || e.Message != c.message {
				t.Errorf("got %d %q (%v), want %d %q", e.Status, e.Message, err, c.status, c.message)
			}
		})
	}
}

// broken is a body that begins well and then fails.
func broken(err error) io.Reader {
	return io.MultiReader(strings.NewReader("abc"), &failing{err})
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestTimeoutByPath(t *testing.T) { // 7.5 hard_timeouts, T-225
	rule := func(path string, d time.Duration) grapnel.TimeoutRule {
		return grapnel.TimeoutRule{PathRule: grapnel.PathRule{Path: regexp.MustCompile(path)}, Timeout: d}
	}
	api := apiOf(t, "http://h")
	s := &stage{api: api, timeout: 30 * time.Second}
	for path, want := range map[string]time.Duration{"/t/slow": time.Second, "/t/never": 0, "/t/x": 30 * time.Second} {
		x := exchange(t, api, http.MethodGet, path)
		x.Version = &grapnel.Version{Timeouts: []grapnel.TimeoutRule{rule("^/slow", time.Second), rule("^/never", 0), rule("^/slow", time.Hour)}}
		if got := s.timeoutOf(x); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestStaleConnection has an upstream that closes a connection when it is used
// for the second time, as one does whose keep-alive time ran out just then.
func TestStaleConnection(t *testing.T) { everyClient(t, testStaleConnection) }

func testStaleConnection(t *testing.T, client grapnel.UpstreamClient) {
	for _, c := range []struct {
		name, method, body string
		again              bool
	}{
		{"GET is sent again", http.MethodGet, "", true},
		{"POST is not, it may have had its effect", http.MethodPost, "x", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go answerOncePerConnection(l)
			api := apiOf(t, "http://"+l.Addr().String())
			api.Client = client
			h := handler(t, api, grapnel.Server{})
			resp, err := h(exchange(t, api, http.MethodGet, "/t/first"))
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()

			x := exchange(t, api, c.method, "/t/second")
			x.SetBody([]byte(c.body))
			resp, err = h(x)
			if (err == nil) != c.again {
				t.Errorf("got %v", err)
			}
			if err == nil {
				resp.Body.Close()
			}
		})
	}
}

func answerOncePerConnection(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		br := bufio.NewReader(conn)
		http.ReadRequest(br)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		http.ReadRequest(br)
		conn.Close()
	}
}

func TestSwitchNobodyAskedFor(t *testing.T) { everyClient(t, testSwitchNobodyAskedFor) } // RFC 9110, 7.8

func testSwitchNobodyAskedFor(t *testing.T, client grapnel.UpstreamClient) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "other")
		w.WriteHeader(http.StatusSwitchingProtocols)
	}))
	defer up.Close()
	for _, asked := range []string{"", "websocket"} {
		api := apiOf(t, up.URL)
		api.Client = client
		x := exchange(t, api, http.MethodGet, "/t/x")
		if asked != "" {
			x.Request.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {asked}}
		}
		_, err := handler(t, api, grapnel.Server{})(x)
		if e := grapnel.AsError(err); e.Status != http.StatusBadGateway {
			t.Errorf("asked for %q: got %v", asked, err)
		}
	}
}

// Trailers come behind a body that a hook has read, even behind an empty one; and
// trailers that were announced and did not come keep no upstream waiting.
func TestTrailersWithABufferedBody(t *testing.T) { everyClient(t, testTrailersWithABufferedBody) }

func testTrailersWithABufferedBody(t *testing.T, client grapnel.UpstreamClient) {
	got := make(chan http.Header, 1)
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		got <- r.Trailer
	}))
	up.Config.Protocols = new(http.Protocols)
	up.Config.Protocols.SetHTTP1(true)
	up.Config.Protocols.SetUnencryptedHTTP2(true)
	up.Start()
	defer up.Close()
	for _, scheme := range []string{"http", "h2c"} {
		api := apiOf(t, scheme+"://"+up.Listener.Addr().String())
		api.Client, api.Timeout = client, grapnel.Duration(10*time.Second)
		h := handler(t, api, grapnel.Server{})
		for _, c := range []struct {
			body       string
			sent, want http.Header
		}{
			{"abc", http.Header{"X-Sum": {"7"}}, http.Header{"X-Sum": {"7"}}},
			{"", http.Header{"X-Sum": {"7"}}, http.Header{"X-Sum": {"7"}}},
			{"", http.Header{"X-Sum": nil}, nil},
		} {
			x := exchange(t, api, http.MethodPost, "/t/x")
			x.Request.Body, x.Request.Trailer = io.NopCloser(strings.NewReader(c.body)), c.sent
			if _, err := x.Body(); err != nil { // as a hook does
				t.Fatal(err)
			}
			resp, err := h(x)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if diff := cmp.Diff(c.want, <-got); diff != "" {
				t.Errorf("%s, %q: %s", scheme, c.body, diff)
			}
		}
	}
}
