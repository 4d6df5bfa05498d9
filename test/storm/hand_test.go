package storm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// TestKilledInHand: the calls that fail with a replica which is killed are those
// that it had in hand and that must not be sent again, one for one.
func TestKilledInHand(t *testing.T) {
	const each = 10
	var replicas []*replica
	var targets []string
	for range 3 {
		replicas = append(replicas, startReplica(t))
		targets = append(targets, replicas[len(replicas)-1].addr)
	}
	server := object{"targets": targets, "timeout": "0", "balance": object{"method": "round_robin"}}
	s := newSite(t, object{"fleet": server},
		api("waits", object{"plugin": "fleet", "hook": "hang"}), api("plain", object{"plugin": "fleet", "hook": mark}))
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	replies := make(chan error, 3*each)
	var all sync.WaitGroup
	for range cap(replies) {
		all.Go(func() { replies <- s.wait(ctx) })
	}
	held := func(r *replica) int { return len(r.Calls(t, "waits")) }
	eventually(t, "all calls are under way", func() bool { return held(replicas[0])+held(replicas[1])+held(replicas[2]) == 3*each })
	lost := held(replicas[0])
	if lost != each {
		t.Errorf("the first replica has %d of %d calls, want a third", lost, 3*each)
	}
	replicas[0].Kill()
	for range lost {
		if err := <-replies; !errors.Is(err, errMiddleware) {
			t.Errorf("a call in hand of the killed replica: %v", err)
		}
	}
	for n := range 30 { // and nothing is lost after
		id := fmt.Sprint("after-", n)
		if status, body, err := get(http.DefaultClient, "http://"+s.Addr+"/plain/", id); status != http.StatusOK || body != id {
			t.Errorf("after the kill: %d %s %v", status, body, err)
		}
	}
	leave()
	all.Wait()
	close(replies)
	for err := range replies {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a call in hand of another replica: %v", err)
		}
	}
}

// errMiddleware is the reply to a request that could not be put to a plugin.
var errMiddleware = errors.New("500")

// wait asks the API whose plugin never answers.
func (s *site) wait(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr+"/waits/", nil)
	if err != nil {
		return err
	}
	r.Header.Set("X-Case", "waits")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusInternalServerError {
		return fmt.Errorf("the reply is %s", resp.Status)
	}
	return errMiddleware
}
