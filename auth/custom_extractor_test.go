package auth_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

const sessionOfABC = "default900150983cd24fb0d6963f7d28e17f72" // [I-10]

func soon() int64 { return time.Now().Add(time.Minute).Unix() }

func withValue() setup {
	value := header("value", "", 0)
	return setup{extractor: &value}
}

// TestShortcut: while a session is fresh, the plugin is not asked [I-11, I-12,
// I-16, T-150, T-152, T-153, T-164].
func TestShortcut(t *testing.T) {
	d := newDesk(t, withValue(), returning(grapnel.Session{Rate: 5, IDExtractorDeadline: soon()}))
	first := d.passes(t, "abc")
	d.plugin = refusing
	second := d.passes(t, "abc")
	for _, s := range []*grapnel.Session{first, second} {
		if s.KeyID != sessionOfABC || s.StoreID != sessionOfABC || s.Rate != 5 {
			t.Errorf("ids %q, %q, rate %v", s.KeyID, s.StoreID, s.Rate)
		}
	}
	if d.calls.Load() != 1 || d.writes.Load() != 1 {
		t.Errorf("%d calls and %d writes", d.calls.Load(), d.writes.Load())
	}
	d.stored(t, sessionOfABC)
	if _, err := d.keys.Stored(t.Context(), "abc"); !errors.Is(err, grapnel.ErrNotFound) {
		t.Errorf("under the token: %v", err)
	}
	if _, err := d.call("other"); !errors.Is(err, errNo) {
		t.Errorf("another caller: %v", err)
	}
	if err := d.keys.Delete(t.Context(), sessionOfABC); err != nil {
		t.Fatal(err)
	}
	if _, err := d.call("abc"); !errors.Is(err, errNo) {
		t.Errorf("after deletion: %v", err)
	}
}

// TestNoShortcut: without a deadline, or after it, the plugin is asked every
// time, and its session is stored all the same [I-13, T-162, T-163]; where
// nothing can be extracted, it is never asked [I-6, T-159].
func TestNoShortcut(t *testing.T) {
	for _, deadline := range []int64{0, 1, time.Now().Unix()} {
		d := newDesk(t, withValue(), returning(grapnel.Session{IDExtractorDeadline: deadline}))
		d.passes(t, "abc")
		d.passes(t, "abc")
		if d.calls.Load() != 2 {
			t.Errorf("deadline %d: %d calls", deadline, d.calls.Load())
		}
		d.stored(t, sessionOfABC)
	}
	d := newDesk(t, withValue(), returning(grapnel.Session{}))
	if _, err := d.call(""); grapnel.AsError(err).Status != http.StatusBadRequest || d.calls.Load() != 0 {
		t.Errorf("%v with %d calls", err, d.calls.Load())
	}
}

// TestShortcutRenews: a request by the short cut lengthens the session's time in
// the store [C-15, S-25].
func TestShortcutRenews(t *testing.T) {
	s := withValue()
	s.sessions.Lifetime = grapnel.Duration(time.Hour)
	d := newDesk(t, s, returning(grapnel.Session{IDExtractorDeadline: soon()}))
	d.passes(t, "abc")
	d.passes(t, "abc")
	if d.writes.Load() != 1 {
		t.Errorf("%d writes of a session that has its whole life ahead", d.writes.Load())
	}
	d.api.Sessions.Lifetime = grapnel.Duration(4 * time.Hour) // now less than half is left
	d.passes(t, "abc")
	if d.writes.Load() != 2 || d.calls.Load() != 1 {
		t.Errorf("%d writes, %d calls", d.writes.Load(), d.calls.Load())
	}
}

// TestStampede: of concurrent first requests of an id one asks, and the others
// take its session.
func TestStampede(t *testing.T) {
	const crowd = 100
	d := newDesk(t, withValue(), nil)
	take := returning(grapnel.Session{Rate: 5, IDExtractorDeadline: soon()})
	asked, release := make(chan struct{}, crowd), make(chan struct{})
	d.plugin = func(x *grapnel.Exchange) (grapnel.Session, error) {
		asked <- struct{}{}
		<-release
		return take(x)
	}
	var begun, done sync.WaitGroup
	begun.Add(crowd)
	for range crowd {
		done.Go(func() {
			begun.Done()
			if s, err := d.call("abc"); err != nil || s.Rate != 5 {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
	begun.Wait()
	<-asked
	close(release)
	done.Wait()
	if d.calls.Load() != 1 || d.writes.Load() != 1 {
		t.Errorf("%d calls and %d writes, want one each", d.calls.Load(), d.writes.Load())
	}
}

// TestRefusalsAreNotShared: who waited for a request that was refused asks for
// itself, and all of them at once.
func TestRefusalsAreNotShared(t *testing.T) {
	const crowd = 10
	d := newDesk(t, withValue(), nil)
	take := returning(grapnel.Session{IDExtractorDeadline: soon()})
	var arrived atomic.Int64
	all := make(chan struct{})
	d.plugin = func(x *grapnel.Exchange) (grapnel.Session, error) {
		if x.Request.URL.Path == "/refused" {
			return refusing(x)
		}
		if arrived.Add(1) == crowd {
			close(all)
		}
		<-all // goes on when all ask at once
		return take(x)
	}
	inside, release := make(chan struct{}), make(chan struct{})
	leader := exchange("GET", "/refused", "", "Authorization: abc")
	leader.API = d.api
	inner := d.plugin
	d.plugin = func(x *grapnel.Exchange) (grapnel.Session, error) {
		if x == leader {
			close(inside)
			<-release
		}
		return inner(x)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := d.handler(leader); !errors.Is(err, errNo) {
			t.Errorf("the first: %v", err)
		}
	})
	<-inside
	var loads sync.WaitGroup
	loads.Add(crowd)
	for range crowd {
		wg.Go(func() {
			loads.Done()
			if _, err := d.call("abc"); err != nil {
				t.Errorf("who waited: %v", err)
			}
		})
	}
	loads.Wait()
	close(release)
	wg.Wait()
}

// TestWaitingEndsWithTheClient: who waits does not wait longer than its client,
// and when who asks has left, the next asks.
func TestWaitingEndsWithTheClient(t *testing.T) {
	d := newDesk(t, withValue(), nil)
	take := returning(grapnel.Session{IDExtractorDeadline: soon()})
	inside := make(chan struct{})
	d.plugin = func(x *grapnel.Exchange) (grapnel.Session, error) {
		if x.Request.URL.Path != "/leaves" {
			return take(x)
		}
		close(inside)
		<-x.Request.Context().Done()
		return grapnel.Session{}, &grapnel.Error{Status: grapnel.StatusClientGone, Code: grapnel.CodeClientGone, Err: x.Request.Context().Err()}
	}
	send := func(ctx context.Context, path string) error {
		x := exchange("GET", path, "", "Authorization: abc")
		x.API, x.Request = d.api, x.Request.WithContext(ctx)
		_, err := d.handler(x)
		return err
	}
	leaves, leave := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { send(leaves, "/leaves") })
	<-inside
	impatient, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := send(impatient, "/"); grapnel.AsError(err).Status != grapnel.StatusClientGone {
		t.Errorf("who gave up: %v", err)
	}
	for range 5 {
		wg.Go(func() {
			if err := send(t.Context(), "/"); err != nil {
				t.Errorf("who waited: %v", err)
			}
		})
	}
	leave()
	wg.Wait()
	if d.calls.Load() != 2 {
		t.Errorf("%d calls, want that of the one who left and one more", d.calls.Load())
	}
}

// TestPanicsEndTheWait: a plugin's code that panics leaves no one waiting.
func TestPanicsEndTheWait(t *testing.T) {
	d := newDesk(t, withValue(), func(*grapnel.Exchange) (grapnel.Session, error) { panic("test") })
	func() {
		defer func() { recover() }()
		d.call("abc")
	}()
	d.plugin = returning(grapnel.Session{IDExtractorDeadline: soon()})
	d.passes(t, "abc")
}
