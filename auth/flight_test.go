package auth

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// TestFlights: one asks and the others wait; when it leaves without an answer
// one of them takes its place, and when it has one they all go on.
func TestFlights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fs flights
		first, err := fs.join(t.Context(), "id")
		if first == nil || err != nil {
			t.Fatalf("the first: %v, %v", first, err)
		}
		if other, err := fs.join(t.Context(), "other"); other == nil || err != nil {
			t.Fatalf("another id: %v, %v", other, err)
		}
		const crowd = 5
		joined := make(chan *flight, crowd)
		for range crowd {
			go func() {
				f, err := fs.join(t.Context(), "id")
				if err != nil {
					t.Error(err)
				}
				joined <- f
			}()
		}
		impatient, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := fs.join(impatient, "id")
			gone <- err
		}()
		synctest.Wait()
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) || len(joined) != 0 {
			t.Fatalf("who gave up: %v; %d went on", err, len(joined))
		}
		fs.end(first, true)
		synctest.Wait()
		if len(joined) != 1 {
			t.Fatalf("%d went on when the first had left, want one", len(joined))
		}
		second := <-joined
		if second == nil {
			t.Fatal("nobody took the place of the first")
		}
		fs.end(second, false)
		synctest.Wait()
		if len(joined) != crowd-1 {
			t.Fatalf("%d went on with the answer", len(joined))
		}
		for range crowd - 1 {
			if f := <-joined; f != nil {
				t.Error("who waited is to ask")
			}
		}
		if third, err := fs.join(t.Context(), "id"); third == nil || err != nil {
			t.Errorf("afterwards: %v, %v", third, err)
		}
	})
}
