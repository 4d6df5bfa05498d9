package plugintest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// failure: whatever goes wrong, the exchange and the reply are as they were,
// and the failure is not taken for an answer.
func (o Opener) failure(t *testing.T) {
	const changes = "set X-New=1;del X-A;param c=3;method PUT;raw other;"
	for name, verbs := range map[string]string{
		"call fails":           changes + "rpc 14",
		"dies":                 changes + "die",
		"hangs":                changes + "hang",
		"garbage":              changes + "garbage",
		"too large":            changes + "fill 5000000",
		"header name":          changes + "esc;set X\\r\\nY=1",
		"header name, colon":   changes + "set X:Y=1",
		"header name, empty":   changes + "set =1",
		"header value, CR LF":  changes + "esc;set X-B=a\\r\\nX-C: 1",
		"header value, NUL":    changes + "esc;set X-B=a\\x00b",
		"deleted header name":  changes + "esc;del X\\nY",
		"method":               changes + "method GET /",
		"url":                  changes + "url ://",
		"url, empty":           changes + "url ",
		"url, relative":        changes + "url foo/bar",
		"url, control":         changes + "esc;url /a\\nb",
		"override status":      changes + "ov 1000",
		"override status, low": changes + "ov 50",
		"override header":      changes + "ov 200;esc;ovh X=a\\nb",
	} {
		t.Run(name, func(t *testing.T) {
			s := Serve(t)
			b := hook(t, o.plugin(t, s.Target), grapnel.Pre, verbs)
			x := exchange("failure")
			before := seen(t, x)
			resp, err := b.Request(failureContext(t, verbs), x)
			wantFailure(t, err)
			if resp != nil {
				t.Errorf("response %v beside the error", resp)
			}
			if after := seen(t, x); after != before {
				t.Errorf("the exchange was\n%s\nand is\n%s", before, after)
			}
		})
	}
	t.Run("server down", func(t *testing.T) {
		b := hook(t, o.plugin(t, absent(t)), grapnel.Pre, "noop")
		x := exchange("down")
		before := seen(t, x)
		_, err := b.Request(bounded(t), x)
		wantFailure(t, err)
		if after := seen(t, x); after != before {
			t.Errorf("the exchange was\n%s\nand is\n%s", before, after)
		}
	})
	t.Run("response", o.responseFailure)
}

func (o Opener) responseFailure(t *testing.T) {
	const changes = "rh X-New=1;rraw other;rstatus 418;"
	for name, verbs := range map[string]string{
		"call fails":          changes + "rpc 14",
		"dies":                changes + "die",
		"hangs":               changes + "hang",
		"garbage":             changes + "garbage",
		"too large":           changes + "fill 5000000",
		"no response":         "rnil",
		"empty object":        "empty",
		"status 0":            changes + "rstatus 0",
		"status, low":         changes + "rstatus 99",
		"status, high":        changes + "rstatus 600",
		"header name":         changes + "rh X:Y=1",
		"header value, CR LF": changes + "esc;rh X-B=a\\r\\nX-C: 1",
		"header list, name":   "esc;rmv X\\nY=1",
		"header list, value":  changes + "esc;rmv X-Y=a,b\\x00;rh X-Y=a",
	} {
		t.Run(name, func(t *testing.T) {
			s := Serve(t)
			b := hook(t, o.plugin(t, s.Target), grapnel.Response, verbs)
			resp := reply("hello")
			_, err := b.Response(failureContext(t, verbs), exchange("failure"), resp)
			wantFailure(t, err)
			if got, want := seenReply(t, resp), seenReply(t, reply("hello")); got != want {
				t.Errorf("the reply was\n%s\nand is\n%s", want, got)
			}
		})
	}
}

// failureContext ends a call to a hook that hangs, soon.
func failureContext(t *testing.T, verbs string) context.Context {
	if !strings.HasSuffix(verbs, "hang") {
		return bounded(t)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// context: the caller's deadline and cancellation reach the server [L-7, A-61].
func (o Opener) context(t *testing.T) {
	s := Serve(t)
	p := o.plugin(t, s.Target)
	t.Run("deadline is sent", func(t *testing.T) {
		const bound = 5 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), bound)
		defer cancel()
		if _, err := hook(t, p, grapnel.Pre, "noop").Request(ctx, exchange("deadline")); err != nil {
			t.Fatal(err)
		}
		if got := s.Calls("deadline")[0].Timeout; got <= 0 || got > bound {
			t.Errorf("the server was given %v, want up to %v", got, bound)
		}
	})
	t.Run("none is invented", func(t *testing.T) {
		if _, err := hook(t, p, grapnel.Pre, "noop").Request(t.Context(), exchange("no-deadline")); err != nil {
			t.Fatal(err)
		}
		if got := s.Calls("no-deadline")[0].Timeout; got != 0 {
			t.Errorf("the server was given %v by a caller that waits for ever", got)
		}
	})
	t.Run("deadline passes", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		wantFailure(t, ended(t, start(ctx, hook(t, p, grapnel.Pre, "hang"), "late")))
		eventually(t, "the server sees that the caller gave up", func() bool { return s.Calls("late")[0].Cancelled })
	})
	t.Run("cancel", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		result := start(ctx, hook(t, p, grapnel.Pre, "hang"), "cancel")
		eventually(t, "the call arrives", func() bool { return len(s.Calls("cancel")) == 1 })
		cancel()
		wantFailure(t, ended(t, result))
		eventually(t, "the server sees the cancellation", func() bool { return s.Calls("cancel")[0].Cancelled })
	})
}

// concurrency: one binding serves many exchanges at once and mixes up none.
func (o Opener) concurrency(t *testing.T) {
	const parallel = 200
	s := Serve(t)
	p := o.plugin(t, s.Target)
	request := hook(t, p, grapnel.Pre, "copy "+CaseHeader+"=X-Stamp")
	response := hook(t, p, grapnel.Response, "rh X-New=1")
	errs := make(chan error, 2*parallel)
	var all sync.WaitGroup
	for i := range parallel {
		all.Go(func() {
			x := exchange(fmt.Sprint(i))
			_, err := request.Request(bounded(t), x)
			if got := x.Request.Header.Get("X-Stamp"); err == nil && got != fmt.Sprint(i) {
				err = fmt.Errorf("exchange %d got the answer to %s", i, got)
			}
			resp := reply(fmt.Sprint(i))
			_, failed := response.Response(bounded(t), x, resp)
			errs <- errors.Join(err, failed)
			if b, err := grapnel.ReadBody(resp, 0); err != nil || string(b) != fmt.Sprint(i) {
				errs <- fmt.Errorf("reply %d has body %q (%v)", i, b, err)
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n := len(s.Calls("")); n != 2*parallel {
		t.Errorf("the server got %d calls, want %d", n, 2*parallel)
	}
}

// lifetime: servers come, go and come back; plugins are closed.
func (o Opener) lifetime(t *testing.T) {
	t.Run("down, then up, then down, then up", func(t *testing.T) {
		target := absent(t)
		p := o.plugin(t, target)
		b := hook(t, p, grapnel.Pre, "noop")
		ask := func() error { _, err := b.Request(bounded(t), exchange("life")); return err }
		for range 2 {
			wantFailure(t, ask())
			wantState(t, p, "idle", "connecting", "failing")
			s := ServeAt(t, target)
			eventually(t, "the server is used", func() bool { return ask() == nil })
			wantState(t, p, "ready")
			s.Stop()
			eventually(t, "the server is missed", func() bool { return ask() != nil })
		}
	})
	t.Run("killed with calls under way", func(t *testing.T) {
		s := Serve(t)
		p := o.plugin(t, s.Target)
		result := start(t.Context(), hook(t, p, grapnel.Pre, "hang"), "killed")
		eventually(t, "the call arrives", func() bool { return len(s.Calls("killed")) == 1 })
		s.Stop()
		wantFailure(t, ended(t, result))
	})
	t.Run("close", func(t *testing.T) {
		s := Serve(t)
		p := o.plugin(t, s.Target)
		hangs := hook(t, p, grapnel.Pre, "hang")
		result := start(t.Context(), hangs, "closed")
		eventually(t, "the call arrives", func() bool { return len(s.Calls("closed")) == 1 })
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		wantFailure(t, ended(t, result))
		wantFailure(t, ended(t, start(t.Context(), hangs, "after")))
		eventually(t, "the server sees that the call is over", func() bool { return s.Calls("closed")[0].Cancelled })
	})
}

// start makes a call beside the test; the channel gets its error.
func start(ctx context.Context, b grapnel.Binding, id string) <-chan error {
	result := make(chan error, 1)
	go func() {
		_, err := b.Request(ctx, exchange(id))
		result <- err
	}()
	return result
}

// ended is the error of a call that must end now.
func ended(t *testing.T, result <-chan error) error {
	t.Helper()
	select {
	case err := <-result:
		return err
	case <-time.After(patience):
		t.Fatalf("the call has not ended after %v", patience)
		return nil
	}
}

// wantState checks the plugin's word for its connection.
func wantState(t *testing.T, p grapnel.Plugin, any ...string) {
	t.Helper()
	got := p.State().State
	for _, want := range any {
		if got == want {
			return
		}
	}
	t.Errorf("State() = %q, want one of %q", got, any)
}
