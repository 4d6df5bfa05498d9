// Package bodies holds the gateway to what it says about bodies: what a hook is not
// sent streams past it, what passes through a plugin is never in memory whole, and
// nothing is lost of what nobody changes.
package bodies

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/sdk"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// patience bounds every wait; nothing that works comes near it.
const patience = 5 * time.Minute

type object = map[string]any

// A site is a gateway with a plugin server and an upstream, both of this process.
type site struct {
	*program.Gateway
	upstream *httptest.Server
}

// apis are those of a site, with their hooks by stage; the name of each is its id
// and its listen path.
type apis map[string]object

// start starts a site with these APIs.
func start(t *testing.T, all apis) *site {
	t.Helper()
	s := &site{upstream: httptest.NewUnstartedServer(http.HandlerFunc(upstream))}
	s.upstream.Start()
	t.Cleanup(s.upstream.Close)
	addr := program.FreeAddr(t)
	var list []object
	for name, hooks := range all {
		list = append(list, object{"id": name, "listen_path": "/" + name + "/", "target": s.upstream.URL, "max_body": 0, "hooks": hooks})
	}
	text, err := json.Marshal(object{ // which is YAML, too
		"listen": addr, "admin": object{"listen": ""}, "store": "memory:", "log": object{"format": "json"},
		"plugins": object{"p": object{"target": servePlugin(t), "timeout": "20s"}}, "apis": list,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Gateway = program.Start(t, addr, "run", "--config", file)
	return s
}

// hook is a hook of the site's plugin, with further settings as JSON.
func hook(name, settings string) object {
	h := object{"plugin": "p", "hook": name}
	if err := json.Unmarshal([]byte("{"+settings+"}"), &h); err != nil {
		return object{"fault": err.Error()}
	}
	return h
}

func (s *site) url(path string) string { return "http://" + s.Addr + path }

// client is one that neither asks for codings nor takes them off.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// do sends a request and reads the reply.
func do(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := client(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// upstream does what the last segment of the path says.
func upstream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Touched", r.Header.Get("X-Touched"))
	switch r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:] {
	case "echo": // with the trailers, and as it comes
		http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(200)
		http.NewResponseController(w).Flush()
		copyAsItComes(w, r.Body)
		w.Header()["X-Sum"] = r.Trailer["X-Sum"]
	case "count":
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, n, err)
	case "zeros":
		n, _ := strconv.ParseInt(r.URL.RawQuery, 10, 64)
		io.CopyN(w, zeros{}, n)
	case "events": // one, and then no end
		fmt.Fprint(w, "data: 1\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case "coded": // as it was sent
		w.Header().Set("Content-Encoding", r.Header.Get("Content-Encoding"))
		io.Copy(w, r.Body)
	case "ignore":
		fmt.Fprint(w, "done")
	}
}

func copyAsItComes(w http.ResponseWriter, src io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		w.Write(buf[:n])
		http.NewResponseController(w).Flush()
		if err != nil {
			return
		}
	}
}

// zeros are as many as one wants.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// servePlugin serves the hooks of these tests, and returns where.
func servePlugin(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		sdk.New(hooks()...).Serve(t.Context(), l)
	}()
	t.Cleanup(func() { <-done }) // the test's context has ended by then
	return l.Addr().String()
}

func hooks() []sdk.Option {
	touch := func(x *sdk.Exchange) {
		if x.Response != nil {
			x.Reply().SetHeader("X-Reply", "touched")
		} else {
			x.SetHeader("X-Touched", "yes")
		}
	}
	stream := func(name string, h sdk.StreamHandler) sdk.Option {
		return sdk.StreamHook(name, func(x *sdk.Exchange, b *sdk.Body) error { touch(x); return h(x, b) })
	}
	return []sdk.Option{
		sdk.Hook("Touch", func(x *sdk.Exchange) error { touch(x); return nil }),
		sdk.Hook("Answer", func(x *sdk.Exchange) error {
			return &sdk.Answer{Status: 418, Body: "answered"}
		}),
		sdk.Hook("Instead", func(x *sdk.Exchange) error {
			x.Request.ReturnOverrides.ResponseCode, x.Request.ReturnOverrides.ResponseBody = 202, fmt.Sprint("instead of ", x.Response.StatusCode)
			return nil
		}),
		sdk.Hook("Upper", func(x *sdk.Exchange) error { x.Reply().SetBody(bytes.ToUpper(x.Response.RawBody)); return nil }),
		stream("Pass", func(*sdk.Exchange, *sdk.Body) error { return nil }),
		stream("Deny", func(*sdk.Exchange, *sdk.Body) error { return sdk.Deny(403, "no such upload") }),
		stream("Shout", func(_ *sdk.Exchange, b *sdk.Body) error {
			for r := bufio.NewReader(b); ; {
				line, err := r.ReadBytes('\n')
				if _, err := b.Write(bytes.ToUpper(line)); err != nil {
					return err
				}
				if err == io.EOF {
					b.Trailer.Set("X-Sum", b.Trailer.Get("X-Sum")+"!")
					return nil
				} else if err != nil {
					return err
				}
			}
		}),
		stream("Short", func(_ *sdk.Exchange, b *sdk.Body) error { _, err := b.Write([]byte("short")); return err }),
		stream("Break", func(_ *sdk.Exchange, b *sdk.Body) error {
			b.Write([]byte("begin"))
			io.ReadFull(b, make([]byte, 3))
			return fmt.Errorf("broken")
		}),
		stream("Hang", func(x *sdk.Exchange, b *sdk.Body) error {
			b.Write([]byte("begin"))
			io.Copy(io.Discard, b)
			<-x.Context().Done()
			return nil
		}),
	}
}
