package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
)

const responseHook = `
plugins: { p: { target: %q, timeout: 1s } }
apis: [{ id: a, listen_path: /a/, target: %q, hooks: { pre: [{ plugin: p, hook: noop }], response: [{ plugin: p, hook: noop }] } }]
`

// An upstream that breaks off in the middle of its reply has not answered,
// whether or not a hook read the reply.
func TestTruncatedReplyWithHook(t *testing.T) {
	plugin := plugintest.Serve(t)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "only this much")
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(up.Close)
	g := start(t, configuration(t, responseHook, plugin.Target, up.URL), io.Discard)
	status, body, err := get(http.DefaultClient, g.url+"/a/x")
	if err != nil || status != 500 || strings.Contains(body, "only this much") {
		t.Errorf("%d %q %v", status, body, err)
	}
}

// The time that a client takes to send its body, and an upstream to send its
// reply, is not the plugin's: its deadline of a second does not count them.
func TestBodiesAreNotThePluginsTime(t *testing.T) {
	plugin := plugintest.Serve(t)
	const pause = 1500 * time.Millisecond // longer than the hook's deadline
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "slow")
		http.NewResponseController(w).Flush()
		<-time.After(pause)
		io.WriteString(w, "ly")
	}))
	t.Cleanup(up.Close)
	g := start(t, configuration(t, responseHook, plugin.Target, up.URL), io.Discard)
	body, write := io.Pipe()
	go func() {
		io.WriteString(write, "one")
		<-time.After(pause)
		io.WriteString(write, "two")
		write.Close()
	}()
	resp, err := http.Post(g.url+"/a/x", "text/plain", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || string(got) != "slowly" {
		t.Errorf("%d %q %v", resp.StatusCode, got, err)
	}
}

// A header Upgrade without Connection: upgrade is no upgrade, and hides no body
// from Response hooks [B-29].
func TestUpgradeHeaderHidesNothing(t *testing.T) {
	plugin, up := plugintest.Serve(t), echo(t, "up")
	g := start(t, configuration(t, responseHook, plugin.Target, up.URL), io.Discard)
	req, err := http.NewRequest("POST", g.url+"/a/x", strings.NewReader("the body"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Upgrade", "foo")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	calls := plugin.Calls("")
	if len(calls) != 2 || string(calls[1].Object.Request.RawBody) != "the body" {
		t.Errorf("the Response hook saw %d calls, the last with %q", len(calls), calls[len(calls)-1].Object.Request.RawBody)
	}
}

// A target of the scheme tyk leads to another API, below the target's path; the
// client's query does not steer it.
func TestTykTarget(t *testing.T) {
	up := echo(t, "up")
	g := start(t, configuration(t, `
apis:
  - { id: outer, listen_path: /outer/, target: "tyk://inner/base" }
  - { id: inner, listen_path: /inner/, target: %q }
`, up.URL), io.Discard)
	if status, body, err := get(http.DefaultClient, g.url+"/outer/x?method=DELETE&q=1"); err != nil || body != "up /base/x?method=DELETE&q=1" {
		t.Errorf("%d %q %v", status, body, err)
	}
}

// While it drains, the gateway answers what comes on open connections and says
// that it is the last reply there.
func TestDrainSaysGoodbye(t *testing.T) {
	up := echo(t, "up")
	g := start(t, configuration(t, `apis: [{ id: a, listen_path: /a/, target: %q }]`, up.URL), io.Discard)
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	replies := bufio.NewReader(conn)
	ask := func() *http.Response {
		fmt.Fprint(conn, "GET /a/x HTTP/1.1\r\nHost: a\r\n\r\n")
		resp, err := http.ReadResponse(replies, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		return resp
	}
	if ask().Close {
		t.Fatal("goodbye before the drain")
	}
	stopped := make(chan error)
	go func() { stopped <- g.stop() }()
	for !g.Draining() {
		time.Sleep(time.Millisecond)
	}
	if !ask().Close {
		t.Error("no Connection: close while it drains")
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
