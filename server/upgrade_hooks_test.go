package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// chat is an upstream that says over WebSocket what it hears.
func chat(t *testing.T, secure bool, ended chan<- struct{}) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { ended <- struct{}{} }()
		w.Header().Set("X-Up", "before")
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, message, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, append(message, stages(r.Header.Get)...)) != nil {
				return
			}
		}
	}))
	if secure {
		s.EnableHTTP2 = true // which must not be chosen
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// dialChat opens a WebSocket; the response is that to the handshake.
func dialChat(t *testing.T, g *running) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	return websocket.Dial(t.Context(), g.url+"/chat", &websocket.DialOptions{
		HTTPClient: client(t, http1), HTTPHeader: http.Header{"Authorization": {"tok"}},
	})
}

// talk sends messages and wants each of them back before the next.
func talk(t *testing.T, c *websocket.Conn) {
	t.Helper()
	for _, message := range []string{"hello", strings.Repeat("long", 5000)} { // in all more than a hook would be sent
		if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(t.Context()); err != nil || string(got) != message+"111" {
			t.Fatalf("got %.20q, %v", got, err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestWebSocketThroughHooks(t *testing.T) {
	everyWay(t, func(t *testing.T, front, back bool) {
		ended := make(chan struct{}, 1)
		g, plugin := hooked(t, front, chat(t, back, ended).URL, headersOnly, touchReply)
		c, resp, err := dialChat(t, g)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		h := resp.Header
		if h.Get("X-Up") != "after" || h.Get("X-Hooked") != "yes" || h.Get("Upgrade") != "websocket" || h.Get("Connection") != "Upgrade" {
			t.Errorf("header %v", h)
		}
		about := aboutReplies(plugin)
		if len(about) != 1 {
			t.Fatalf("the Response hook was asked %d times", len(about))
		}
		if saw := about[0].Object.Response; saw.StatusCode != 101 || saw.Headers["X-Up"] != "before" || saw.Headers["Upgrade"] != "websocket" || len(saw.RawBody) > 0 {
			t.Errorf("the Response hook saw %v", saw)
		}
		talk(t, c)
		<-ended
	})
}

// Hooks that are sent bodies are not asked about a connection that has none.
func TestWebSocketPastHooksThatReadBodies(t *testing.T) {
	for _, settings := range []string{wholeBody, "send: {body: 1KiB}"} {
		ended := make(chan struct{}, 1)
		g, plugin := hooked(t, false, chat(t, false, ended).URL, settings, touchReply)
		c, resp, err := dialChat(t, g)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if n := len(aboutReplies(plugin)); n != 0 || resp.Header.Get("X-Hooked") != "" {
			t.Errorf("%s: the Response hook was asked %d times; header %v", settings, n, resp.Header)
		}
		talk(t, c)
		<-ended
	}
}

// A Response hook, or the failure of one, refuses an upgrade; the upstream's
// connection ends.
func TestUpgradeRefused(t *testing.T) {
	for hook, want := range map[string]struct {
		status int
		body   string
	}{
		"rstatus 403;rraw not here": {403, "not here"},
		"rstatus 204":               {204, ""},
		"rpc 13":                    {500, `"error": "Middleware error"`},
		"rraw a body":               {101, ""}, // there is none
	} {
		ended := make(chan struct{}, 1)
		g, _ := hooked(t, false, chat(t, false, ended).URL, headersOnly, hook)
		c, resp, err := dialChat(t, g)
		if (err == nil) != (want.status == 101) || resp == nil || resp.StatusCode != want.status {
			t.Fatalf("%s: got %v, %v", hook, resp, err)
		}
		if err == nil {
			talk(t, c)
		} else if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), want.body) || resp.Header.Get("Upgrade") != "" {
			t.Errorf("%s: got %q, header %v", hook, body, resp.Header)
		}
		<-ended
	}
}
