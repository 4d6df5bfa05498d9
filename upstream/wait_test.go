package upstream

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

const limit = time.Second

// cause is why the context has ended, nil when it has not.
func cause(ctx context.Context) error {
	synctest.Wait()
	return context.Cause(ctx)
}

// watched is a wait whose end someone wants to know of, as a context too.
func watched(t *testing.T, limit time.Duration) (context.Context, *wait) {
	w := newWait(t.Context(), limit)
	w.Done()
	return w, w
}

func TestWaitExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, w := watched(t, limit)
		time.Sleep(limit)
		if !errors.Is(cause(ctx), errExpired) || !w.end() {
			t.Errorf("after the limit: %v", cause(ctx))
		}
	})
}

func TestWaitEndsWithTheHeader(t *testing.T) { // the body that follows may take any time
	synctest.Test(t, func(t *testing.T) {
		ctx, w := watched(t, limit)
		time.Sleep(limit / 2)
		if w.end() {
			t.Error("expired early")
		}
		w.stop() // the request's body may still be under way
		w.start(nil)
		time.Sleep(10 * limit)
		if err := cause(ctx); err != nil {
			t.Errorf("a reply that had begun was ended: %v", err)
		}
	})
}

func TestWaitIsForTheUpstreamOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, w := watched(t, limit)
		client, input := io.Pipe()
		b := &body{src: client, wait: w}
		go func() {
			for range 3 {
				time.Sleep(10 * limit) // a slow client
				input.Write([]byte("x"))
			}
		}()
		for range 3 {
			if _, err := b.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(limit / 2) // an upstream that is not
		}
		if err := cause(ctx); err != nil {
			t.Fatalf("the client's time was counted: %v", err)
		}
		time.Sleep(limit)
		if !errors.Is(cause(ctx), errExpired) {
			t.Error("an upstream that takes no more of the body is waited for without end")
		}
	})
}

func TestNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, w := watched(t, 0)
		time.Sleep(1000 * time.Hour)
		if err := cause(ctx); err != nil || w.end() {
			t.Errorf("expired without a limit: %v", err)
		}
	})
}
