package plugintest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// patience bounds every wait of the suite; nothing that works comes near it.
const patience = 20 * time.Second

// An Opener makes the plugin under test for a server; it fails the test when
// it cannot.
type Opener func(*testing.T, grapnel.PluginServer) grapnel.Plugin

// Suite is the contract of [grapnel.Plugin] and [grapnel.Binding] as tests:
// every package that speaks a wire protocol calls it with its own constructor.
// The servers it talks to are those of this package.
func Suite(t *testing.T, open func(t *testing.T, server grapnel.PluginServer) grapnel.Plugin) {
	o := Opener(open)
	t.Run("Bind", o.bind)
	t.Run("Request", o.request)
	t.Run("Override", o.override)
	t.Run("Auth", o.auth)
	t.Run("Response", o.response)
	t.Run("Notify", o.notify)
	t.Run("Failure", o.failure)
	t.Run("Context", o.context)
	t.Run("Concurrency", o.concurrency)
	t.Run("Lifetime", o.lifetime)
}

// plugin opens the plugin for a server that listens at target, and closes it
// with the test.
func (o Opener) plugin(t *testing.T, target string) grapnel.Plugin {
	t.Helper()
	p := o(t, grapnel.PluginServer{
		Name: "scripted", Target: target, Compat: grapnel.CompatTyk, MaxReceive: 4 << 20,
	})
	t.Cleanup(func() { p.Close() }) // tests that care close it themselves
	return p
}

// hook binds a hook by its verbs.
func hook(t *testing.T, p grapnel.Plugin, stage grapnel.Stage, verbs string) grapnel.Binding {
	t.Helper()
	b, err := p.Bind(api(), grapnel.Hook{Plugin: "scripted", Name: verbs, Stage: stage})
	if err != nil {
		t.Fatalf("Bind(%s %q): %v", stage, verbs, err)
	}
	return b
}

func api() *grapnel.API {
	return &grapnel.API{ID: "suite", Name: "suite", OrgID: "default", Listen: grapnel.Listen{ListenPath: "/suite/"}}
}

// exchange makes a request as a client would have sent it, with a body.
func exchange(id string) *grapnel.Exchange {
	r := httptest.NewRequest(http.MethodPost, "/suite/x?b=2&a=1", strings.NewReader("payload"))
	r.Header = http.Header{CaseHeader: {id}, "X-A": {"1", "2"}, "Content-Length": {"7"}}
	return &grapnel.Exchange{
		ID: "exchange-" + id, Request: r, API: api(), Prefix: "/suite/",
		Client: netip.MustParseAddr("192.0.2.1"), Start: time.Now(), Log: slog.New(slog.DiscardHandler),
	}
}

// reply makes an upstream's reply.
func reply(body string) *http.Response {
	return grapnel.Reply(http.StatusOK, http.Header{"Content-Type": {"text/plain"}, "X-Up": {"1"}}, []byte(body))
}

// bounded is a context that ends the test's wait, not the call's.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok says yes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain until %s", patience, what)
		}
		time.Sleep(2 * time.Millisecond) // between two looks, not for luck
	}
}

// absent is a target where nothing listens, and nothing will by chance.
func absent(t *testing.T) string {
	t.Helper()
	// Not t.TempDir: the paths of Unix sockets must be short.
	dir, err := os.MkdirTemp("", "plugin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return "unix://" + filepath.Join(dir, "s")
}

// seen describes all of an exchange that a hook may change.
func seen(t *testing.T, x *grapnel.Exchange) string {
	t.Helper()
	body, err := x.Body()
	if err != nil {
		t.Fatalf("the request's body is unreadable: %v", err)
	}
	r := x.Request
	return fmt.Sprintf("%s %s host %s length %d body %q\n%s\nsession %+v rewrite %v %q",
		r.Method, r.URL, r.Host, r.ContentLength, body, fields(r.Header), x.Session, x.Rewrite, x.RewriteMethod)
}

// seenReply describes all of a reply that a hook may change.
func seenReply(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("the reply's body is unreadable: %v", err)
	}
	return fmt.Sprintf("%d length %d body %q\n%s", r.StatusCode, r.ContentLength, body, fields(r.Header))
}

func fields(h http.Header) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(&b, "%s: %q\n", k, h[k])
	}
	return b.String()
}

// wantFailure checks that err is the failure of a plugin, which the gateway
// words itself, and not an answer meant for the client.
func wantFailure(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if e, ok := errors.AsType[*grapnel.Error](err); ok && e.Code != grapnel.CodePluginFailed {
		t.Errorf("error %v has code %q: a failed plugin has not answered the client", err, e.Code)
	}
}
