package examples_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/grapnel-gateway/grapnel/test/program"
)

// TestLossless: what passes hooks that leave it alone arrives as it was sent, byte
// for byte, in a native and in a Tyk set-up, over HTTP/1.1 and HTTP/2; whatever the
// plugin was written in, and whether it knows what this contract adds to the
// original's, hands it back without knowing it, or drops it [L-4, L-17]. The values
// of a header keep their order. That of different headers is nobody's to keep: it
// has no meaning [RFC 9110, 5.3], and net/http does not know it.
func TestLossless(t *testing.T) {
	for name, start := range echoes(t) {
		t.Run(name, func(t *testing.T) {
			target := start(t)
			for mode, configure := range map[string]func(*testing.T, string, string, string) []string{"native": echoNative, "tyk": echoTyk} {
				t.Run(mode, func(t *testing.T) { checkLossless(t, target, configure) })
			}
		})
	}
}

// echoes start the plugins whose hook Echo changes nothing, and return where they
// are.
func echoes(t *testing.T) map[string]func(*testing.T) string {
	out := map[string]func(*testing.T) string{
		"older go":     func(t *testing.T) string { return olderGo(t).target },
		"older python": func(t *testing.T) string { return olderPython(t).target },
		"forgetful go": func(t *testing.T) string { return forgetfulGo(t).target },
	}
	for _, name := range chosen(t) {
		out[name] = func(t *testing.T) string { return onPort(t, name).target }
	}
	return out
}

func checkLossless(t *testing.T, plugin string, configure func(t *testing.T, plugin, addr, upstream string) []string) {
	for _, upstream := range []string{"http", "h2c"} {
		up := newMirror(t)
		addr := program.FreeAddr(t)
		program.Start(t, addr, configure(t, plugin, addr, upstream+strings.TrimPrefix(up.URL, "http"))...)
		for client, protocols := range map[string]func(*http.Protocols, bool){"h1": (*http.Protocols).SetHTTP1, "h2c": (*http.Protocols).SetUnencryptedHTTP2} {
			t.Run(client+" to "+upstream, func(t *testing.T) {
				p := new(http.Protocols)
				protocols(p, true)
				c := &http.Client{Timeout: patience, Transport: &http.Transport{Protocols: p, DisableCompression: true}}
				t.Cleanup(c.CloseIdleConnections)
				for _, l := range oddLetters() {
					if diff := up.pass(t, c, addr, l.request, l.reply); diff != "" {
						t.Errorf("%s: %s", l.request.line, diff)
					}
				}
				t.Run("any", rapid.MakeCheck(func(rt *rapid.T) {
					if diff := up.pass(t, c, addr, drawRequest(rt), drawReply(rt)); diff != "" {
						rt.Fatal(diff)
					}
				}))
			})
		}
	}
}

// A letter is a request or a reply, whole.
type letter struct {
	line    string // method and target after the listen path, or status
	header  http.Header
	body    string
	trailer http.Header
}

type pair struct{ request, reply letter }

// oddLetters are what chance would hardly find.
func oddLetters() []pair {
	fine := letter{line: "200", header: http.Header{"Content-Type": {"text/plain"}}, body: "fine"}
	cookies := http.Header{"Content-Type": {"application/octet-stream"}, "Set-Cookie": {"a=1; Path=/", "b=2", "a=3"}, "X-L": {"2", "1", "2"}}
	odd := "a=1&a=2&b&=x&%zz&c=%2F+%20&&a=&b=;&x;y=1&%C3%A9=é&d=%c3%a9&e=%ff&f=a=b?/"
	twice := http.Header{"X-L": {"2", "1", "2"}, "X-M": {"", "b"}, "Accept": {"text/*", "*/*;q=0"}, "X-N": {"Gr\xf6\xdfe", "Größe"}}
	return []pair{
		{letter{line: "GET /x?" + odd, header: twice}, letter{line: "404", header: cookies, body: everyByte(256)}},
		{letter{line: "POST /a%2Fb;c=%C3%A9/?", body: everyByte(1000), trailer: http.Header{"X-T": {"b", "a"}}}, fine},
		{letter{line: "PUT /", body: everyByte(large), trailer: http.Header{"X-T": {"1"}}},
			letter{"500", cookies, everyByte(large), http.Header{"X-Sum": {"1", "2"}, "X-T": {"ü"}}}},
	}
}

func drawRequest(t *rapid.T) letter {
	method := rapid.SampledFrom([]string{"GET", "POST", "DELETE", "X-OWN"}).Draw(t, "method")
	piece := rapid.SampledFrom([]string{"", "a=1", "a=2", "a", "b", "=x", "%zz", "c=%2F+%20", "c=", "d;e", "%61=1", "=", "f=%ff", "q=%E2%98%83"})
	target := strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "query"), "&")
	if rapid.Bool().Draw(t, "has a query") {
		target = "?" + target
	} else {
		target = ""
	}
	l := letter{line: method + " /x" + target, header: drawHeader(t, "X-L", "X-M", "Accept", "Via")}
	if method != "GET" {
		l.body = drawBody(t)
	}
	if method == "POST" { // net/http's client sends no others behind an empty body
		l.trailer = drawHeader(t, "X-T", "X-Sum")
	}
	return l
}

func drawReply(t *rapid.T) letter {
	l := letter{line: fmt.Sprint(rapid.SampledFrom([]int{200, 201, 302, 404, 503}).Draw(t, "status")), body: drawBody(t)}
	l.header = drawHeader(t, "X-L", "Set-Cookie", "Vary", "Www-Authenticate")
	l.header["Content-Type"] = []string{"a/b"}
	l.trailer = drawHeader(t, "X-T", "X-Sum")
	return l
}

func drawHeader(t *rapid.T, names ...string) http.Header {
	value := rapid.OneOf(rapid.SampledFrom([]string{"", "1", "2", "a, b", "é", "\xe9"}), rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`))
	return rapid.MapOfN(rapid.SampledFrom(names), rapid.SliceOfN(value, 1, 4), 0, len(names)).Draw(t, "header")
}

func drawBody(t *rapid.T) string {
	return string(rapid.SliceOf(rapid.Byte()).Draw(t, "body"))
}

// A mirror is an upstream that keeps what it gets, and replies as it is told.
type mirror struct {
	*httptest.Server
	mu    sync.Mutex
	got   letter
	reply letter
}

func newMirror(t *testing.T) *mirror {
	m := &mirror{}
	m.Server = httptest.NewUnstartedServer(m)
	m.Config.Protocols = new(http.Protocols)
	m.Config.Protocols.SetHTTP1(true)
	m.Config.Protocols.SetUnencryptedHTTP2(true)
	m.Start()
	t.Cleanup(m.Close)
	return m
}

// ServeHTTP implements [http.Handler].
func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = letter{r.Method + " " + r.RequestURI, r.Header, short(body), r.Trailer}
	h := w.Header()
	maps.Copy(h, m.reply.header)
	var status int
	fmt.Sscan(m.reply.line, &status)
	for name := range m.reply.trailer {
		h.Add("Trailer", name)
	}
	w.WriteHeader(status)
	io.WriteString(w, m.reply.body)
	maps.Copy(h, m.reply.trailer)
}

// pass sends a request through the gateway, which the upstream gives this reply,
// and returns how what arrives differs.
func (m *mirror) pass(t *testing.T, client *http.Client, addr string, request, reply letter) (diff string) {
	t.Helper()
	m.mu.Lock()
	m.reply = reply
	m.mu.Unlock()
	method, target, _ := strings.Cut(request.line, " ")
	var body io.Reader = strings.NewReader(request.body)
	if len(request.trailer) > 0 {
		body = io.MultiReader(body) // of unknown length
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+"/echo"+target, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header, r.Trailer = http.Header{"User-Agent": nil}, request.trailer
	maps.Copy(r.Header, request.header)
	resp, err := client.Transport.RoundTrip(r)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	got := letter{fmt.Sprint(resp.StatusCode), resp.Header, short(b), resp.Trailer}
	return cmp.Diff(whole(request), whole(m.got)) + cmp.Diff(whole(reply), whole(got))
}

// whole is all of a letter that its sender said, as text.
func whole(l letter) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s\n", l.line)
	own := maps.Clone(l.header)
	maps.DeleteFunc(own, func(name string, _ []string) bool {
		return slices.Contains(hops(), name) || strings.HasPrefix(name, "X-Ratelimit-")
	})
	for _, h := range []http.Header{own, l.trailer} {
		for _, name := range slices.Sorted(maps.Keys(h)) {
			fmt.Fprintf(&text, "%s: %q\n", name, h[name])
		}
		text.WriteByte('\n')
	}
	fmt.Fprintf(&text, "%q", short([]byte(l.body)))
	return text.String()
}

// hops are the headers that the sender does not choose, or each hop writes anew.
func hops() []string {
	return []string{
		"Accept-Encoding", "Content-Length", "Connection", "Date", "Te", "Trailer", "User-Agent",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Real-Ip", "X-Request-Id",
	}
}

// echoHooks are those of the API, at every stage that can lose something.
func echoHooks(hook any) object {
	return object{"pre": []any{hook}, "post": []any{hook}, "response": []any{hook}}
}

func echoNative(t *testing.T, plugin, addr, upstream string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	writeJSON(t, file, object{
		"listen": addr, "admin": object{"listen": ""}, "store": "memory:", "log": object{"access": false},
		"plugins": object{"p": object{"target": plugin, "timeout": patience.String(), "max_receive": "64MiB"}},
		"apis":    []object{{"id": "echo", "listen_path": "/echo/", "target": upstream, "hooks": echoHooks(object{"plugin": "p", "hook": "Echo"})}},
	})
	return []string{"run", "--config", file}
}

func echoTyk(t *testing.T, plugin, addr, upstream string) []string {
	t.Helper()
	at, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	dir, hooks := t.TempDir(), echoHooks(object{"name": "Echo"})
	hooks["driver"] = "grpc"
	writeJSON(t, filepath.Join(dir, "apps", "echo.json"), object{
		"api_id": "echo", "name": "echo", "org_id": "org", "active": true, "use_keyless": true, "custom_middleware": hooks,
		"proxy":        object{"listen_path": "/echo/", "target_url": upstream, "strip_listen_path": true},
		"version_data": object{"not_versioned": true, "versions": object{"Default": object{"name": "Default"}}},
	})
	writeJSON(t, filepath.Join(dir, "tyk.conf"), object{
		"listen_address": at.IP.String(), "listen_port": at.Port, "secret": "older", "app_path": filepath.Join(dir, "apps"),
		"coprocess_options": object{
			"enable_coprocess": true, "coprocess_grpc_server": "tcp://" + plugin, "grpc_recv_max_size": 64 << 20, "grpc_send_max_size": 64 << 20,
		},
	})
	return []string{"run", "--tyk-conf", filepath.Join(dir, "tyk.conf"), "--store", "memory:"}
}
