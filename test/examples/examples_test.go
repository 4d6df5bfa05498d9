package examples_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// TestSamples: through a gateway, and asked directly, all samples do the same.
func TestSamples(t *testing.T) {
	for _, name := range chosen(t) {
		t.Run(name, func(t *testing.T) {
			s := onSocket(t, name)
			site := newSite(t, s)
			t.Run("gateway", func(t *testing.T) { checkTrials(t, site) })
			t.Run("parallel", func(t *testing.T) { checkParallel(t, site) })
			t.Run("event", func(t *testing.T) { checkEvent(t, s, site) })
			t.Run("wire", func(t *testing.T) { checkWire(t, s) })
			t.Run("crash", func(t *testing.T) { checkCrash(t, s) })
			t.Run("shutdown", func(t *testing.T) { checkShutdown(t, onPort(t, name)) })
		})
	}
}

func checkTrials(t *testing.T, site *site) {
	for _, c := range trials() {
		t.Run(c.name, func(t *testing.T) {
			reply, received, err := site.ask(c.method, c.path, c.header, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.reply, reply); diff != "" {
				t.Errorf("the client's reply -want +got\n%s", diff)
			}
			if diff := cmp.Diff(c.upstream, received); diff != "" {
				t.Errorf("the upstream's request -want +got\n%s", diff)
			}
		})
	}
}

// checkParallel sends 200 requests at the same time, each of which must get
// what is its own.
func checkParallel(t *testing.T, site *site) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range 200 {
		all.Go(func() {
			<-start
			body := fmt.Sprint("Body ", i)
			reply, received, err := site.ask("PUT", fmt.Sprintf("/all/%d/old", i), header{"Authorization": bearer, "X-I": fmt.Sprint(i)}, body)
			body = strings.ToUpper(body)
			line := fmt.Sprintf("PUT /%d/new?added=1", i)
			if err != nil || reply.Line != "200" || reply.Body != body+" (seen)" || received.Line != line || received.Body != body || received.Header["X-I"] != fmt.Sprint(i) {
				t.Errorf("request %d: %v, reply %v, upstream %v", i, err, reply, received)
			}
		})
	}
	close(start)
	all.Wait()
}

// checkEvent: a caller who was turned away is an event, which the sample
// prints.
func checkEvent(t *testing.T, s *sample, site *site) {
	if _, _, err := site.ask("GET", "/token/x", nil, ""); err != nil {
		t.Fatal(err)
	}
	var e struct {
		Message struct{ Type string }
		Handler string `json:"handler_name"`
	}
	payload := s.await(t, patience, "event: ")
	if err := json.Unmarshal([]byte(payload), &e); err != nil || e.Message.Type != "AuthFailure" || e.Handler != "on_failure" {
		t.Errorf("the sample printed %q, %v", payload, err)
	}
}

// checkCrash: a hook that crashes fails one call, and nobody else notices.
func checkCrash(t *testing.T, s *sample) {
	client := coprocess.NewDispatcherClient(s.dial(t))
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			hook, want := "Crash", codes.Internal
			if i%2 == 0 {
				hook, want = "Headers", codes.OK
			}
			_, err := client.Dispatch(t.Context(), &coprocess.Object{HookName: hook, Request: &coprocess.MiniRequestObject{}})
			if status.Code(err) != want {
				t.Errorf("%s: %v, want %v", hook, err, want)
			}
		})
	}
	all.Wait()
}

// checkShutdown: after SIGTERM the call under way gets its answer, and the
// sample ends with code 0.
func checkShutdown(t *testing.T, s *sample) {
	conn := s.dial(t)
	client := coprocess.NewDispatcherClient(conn)
	echo := func() {
		if _, err := client.Dispatch(t.Context(), &coprocess.Object{HookName: "Echo"}); err != nil {
			t.Fatal(err)
		}
	}
	echo() // the first call of some runtimes is slow
	// Messages of one connection arrive in the order in which they were sent:
	// once Echo has been answered, Slow is under way.
	slow, err := conn.NewStream(t.Context(), &grpc.StreamDesc{}, coprocess.Dispatcher_Dispatch_FullMethodName)
	if err != nil {
		t.Fatal(err)
	}
	sent := &coprocess.Object{HookName: "Slow", Request: &coprocess.MiniRequestObject{Url: "/x"}}
	if err := errors.Join(slow.SendMsg(sent), slow.CloseSend()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if echo(); time.Since(begin) > 1900*time.Millisecond {
		t.Error("Echo was answered when Slow must have been over: nothing was under way")
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	got := &coprocess.Object{}
	if err := slow.RecvMsg(got); err != nil || !proto.Equal(got, sent) {
		t.Errorf("the call under way got %v, %v", got, err)
	}
	if took := time.Since(begin); took < 1900*time.Millisecond {
		t.Errorf("Slow took no more than %v", took)
	}
	if err := s.wait(); err != nil {
		t.Error(err)
	}
	if _, err := client.Dispatch(t.Context(), &coprocess.Object{}); status.Code(err) != codes.Unavailable {
		t.Errorf("after its end: %v", err)
	}
}
