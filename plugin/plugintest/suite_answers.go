package plugintest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// bind: a hook is prepared without the server, whether it is there or not.
func (o Opener) bind(t *testing.T) {
	t.Run("server down", func(t *testing.T) {
		hook(t, o.plugin(t, absent(t)), grapnel.Pre, "noop")
	})
	t.Run("server up", func(t *testing.T) {
		s := Serve(t)
		p := o.plugin(t, s.Target)
		hook(t, p, grapnel.Pre, "noop")
		asked := hook(t, p, grapnel.Pre, "noop")
		if _, err := asked.Request(bounded(t), exchange("bind")); err != nil {
			t.Fatal(err)
		}
		if n := len(s.Calls("")); n != 1 {
			t.Errorf("the server got %d calls for two Binds and one Request, want 1", n)
		}
	})
}

// request: what the plugin asks for is done, and nothing else.
func (o Opener) request(t *testing.T) {
	s := Serve(t)
	p := o.plugin(t, s.Target)
	t.Run("noop changes nothing", func(t *testing.T) {
		x := exchange("noop")
		before := seen(t, x)
		resp, err := hook(t, p, grapnel.Pre, "noop").Request(bounded(t), x)
		if resp != nil || err != nil {
			t.Fatalf("Request = %v, %v, want neither", resp, err)
		}
		if after := seen(t, x); after != before {
			t.Errorf("the exchange was\n%s\nand is\n%s", before, after)
		}
	})
	t.Run("changes", func(t *testing.T) {
		x := exchange("changes")
		b := hook(t, p, grapnel.Pre, "set X-New=1;del X-A;param c=3;delparam a;url /suite/y?b=2&a=1;method PUT;raw other")
		if resp, err := b.Request(bounded(t), x); resp != nil || err != nil {
			t.Fatalf("Request = %v, %v, want neither", resp, err)
		}
		body, _ := x.Body()
		r := x.Request
		got := []string{r.Header.Get("X-New"), r.Header.Get("X-A"), r.URL.Path, r.URL.Query().Encode(), r.Method, string(body)}
		want := []string{"1", "", "/suite/y", "b=2&c=3", "PUT", "other"}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("change %d: got %q, want %q", i, got[i], want[i])
			}
		}
		if r.ContentLength != int64(len("other")) {
			t.Errorf("ContentLength = %d after a change of the body, want %d [A-2]", r.ContentLength, len("other"))
		}
	})
}

// override: a plugin's answer to the client, raw or as a refusal [A-20…A-22].
func (o Opener) override(t *testing.T) {
	s := Serve(t)
	p := o.plugin(t, s.Target)
	for verbs, status := range map[string]int{
		"ov 200;ovbody direct;ovh X-O=1":        200,
		"ov 418;ovflag;ovbody direct;ovh X-O=1": 418,
		"ov 302;overr direct;ovh X-O=1":         302,
	} {
		t.Run(verbs, func(t *testing.T) {
			resp, err := hook(t, p, grapnel.Pre, verbs).Request(bounded(t), exchange("override"))
			if resp == nil || err != nil {
				t.Fatalf("Request = %v, %v, want a response", resp, err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || string(body) != "direct" || resp.Header.Get("X-O") != "1" {
				t.Errorf("response has body %q (%v) and X-O %q", body, err, resp.Header.Get("X-O"))
			}
			if resp.StatusCode != status {
				t.Errorf("response has status %d, want %d", resp.StatusCode, status)
			}
		})
	}
	t.Run("refusal", func(t *testing.T) {
		resp, err := hook(t, p, grapnel.Pre, "ov 401;overr please log in;ovh Www-Authenticate=Basic").
			Request(bounded(t), exchange("refusal"))
		e, ok := errors.AsType[*grapnel.Error](err)
		if resp != nil || !ok {
			t.Fatalf("Request = %v, %v, want a *grapnel.Error", resp, err)
		}
		if e.Status != 401 || e.Code != grapnel.CodePluginRefused || e.Message != "please log in" || e.Header.Get("Www-Authenticate") != "Basic" {
			t.Errorf("refusal is %+v", e)
		}
	})
	t.Run("none", func(t *testing.T) {
		resp, err := hook(t, p, grapnel.Pre, "ov 0;overr not shown").Request(bounded(t), exchange("none"))
		if resp != nil || err != nil {
			t.Errorf("Request = %v, %v: code 0 is no override [A-20]", resp, err)
		}
	})
}

// auth: the hook that decides who is calling [C-4…C-6].
func (o Opener) auth(t *testing.T) {
	s := Serve(t)
	p := o.plugin(t, s.Target)
	b := hook(t, p, grapnel.Auth, "auth sesame;meta tier=gold")
	t.Run("right", func(t *testing.T) {
		x := exchange("right")
		x.Request.Header.Set("Authorization", "sesame")
		if resp, err := b.Request(bounded(t), x); resp != nil || err != nil {
			t.Fatalf("Request = %v, %v, want neither", resp, err)
		}
		if x.Session == nil || x.Session.Metadata["tier"] != "gold" || x.Session.OrgID != "default" {
			t.Errorf("session is %+v, want the plugin's, in the API's organisation [C-8]", x.Session)
		}
	})
	t.Run("wrong", func(t *testing.T) {
		x := exchange("wrong")
		_, err := b.Request(bounded(t), x)
		e, ok := errors.AsType[*grapnel.Error](err)
		if !ok || e.Status != 403 || e.Message != "wrong credentials" {
			t.Errorf("error is %v, want the plugin's 403", err)
		}
		if x.Session != nil {
			t.Errorf("a refused exchange has the session %+v", x.Session)
		}
	})
	for _, verbs := range []string{"noop", "auth sesame;nosession", "auth sesame;notoken"} {
		t.Run(verbs, func(t *testing.T) {
			x := exchange("unproved")
			x.Request.Header.Set("Authorization", "sesame")
			resp, err := hook(t, p, grapnel.Auth, verbs).Request(bounded(t), x)
			if e := grapnel.AsError(err); resp != nil || err == nil || e.Status != 403 || e.Message != "Forbidden" {
				t.Errorf("Request = %v, %v, want 403 Forbidden [C-4]", resp, err)
			}
			if x.Session != nil {
				t.Errorf("an exchange without proof has the session %+v", x.Session)
			}
		})
	}
}

// response: the hook that sees the upstream's reply [A-42…A-48].
func (o Opener) response(t *testing.T) {
	s := Serve(t)
	p := o.plugin(t, s.Target)
	t.Run("noop changes nothing", func(t *testing.T) {
		resp := reply("hello")
		if _, err := hook(t, p, grapnel.Response, "noop").Response(bounded(t), exchange("noop"), resp); err != nil {
			t.Fatal(err)
		}
		resp.Header.Del("Content-Length") // may be made explicit
		if got, want := seenReply(t, resp), seenReply(t, reply("hello")); got != want {
			t.Errorf("the reply is\n%s\nwant\n%s", got, want)
		}
	})
	t.Run("changes", func(t *testing.T) {
		resp := reply("hello")
		b := hook(t, p, grapnel.Response, "rh X-New=1;rdel X-Up;rraw newbody;rstatus 418")
		if _, err := b.Response(bounded(t), exchange("changes"), resp); err != nil {
			t.Fatal(err)
		}
		want := grapnel.Reply(418, http.Header{"Content-Type": {"text/plain"}, "X-New": {"1"}, "Content-Length": {"7"}}, []byte("newbody"))
		if got, want := seenReply(t, resp), seenReply(t, want); got != want {
			t.Errorf("the reply is\n%s\nwant\n%s", got, want)
		}
	})
}

// notify: events reach the server, and a server that is down is an error.
func (o Opener) notify(t *testing.T) {
	event := grapnel.Event{Type: grapnel.EventAuthFailure, API: api(), Message: "Auth Failure", Path: "/suite/x"}
	s := Serve(t)
	if err := o.plugin(t, s.Target).Notify(bounded(t), "my_handler", event); err != nil {
		t.Fatal(err)
	}
	got := s.Events()
	if len(got) != 1 || !strings.Contains(got[0], "my_handler") || !strings.Contains(got[0], "AuthFailure") {
		t.Errorf("the server got the events %q", got)
	}
	if err := o.plugin(t, absent(t)).Notify(bounded(t), "my_handler", event); err == nil {
		t.Error("Notify of a server that is down returned no error")
	}
}
