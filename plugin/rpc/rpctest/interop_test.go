package rpctest_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/test/program"
)

// The samples, and how long one may take to install what it needs and start.
const (
	samples      = "../../../examples"
	installation = 30 * time.Minute
)

// TestInterop: both clients speak with the servers of other languages. As in the
// tests of the samples, GRAPNEL_SAMPLES names them: go and python, when it does
// not.
func TestInterop(t *testing.T) {
	names := strings.Fields(os.Getenv("GRAPNEL_SAMPLES"))
	if len(names) == 0 {
		names = []string{"go", "python"}
	}
	if slices.Equal(names, []string{"all"}) {
		names = nil
		found, _ := filepath.Glob(filepath.Join(samples, "*", "run.sh"))
		for _, f := range found {
			names = append(names, filepath.Base(filepath.Dir(f)))
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			target := startSample(t, name)
			for client, open := range both() {
				t.Run(client, func(t *testing.T) { interoperate(t, target, open) })
			}
		})
	}
}

// startSample starts a sample on a free port, until the test ends.
func startSample(t *testing.T, name string) string {
	t.Helper()
	target := program.FreeAddr(t)
	cmd := exec.Command(filepath.Join(samples, name, "run.sh"))
	cmd.Env = append(os.Environ(), "GRAPNEL_PLUGIN_SOCKET=", "PLUGIN_LISTEN="+target)
	var log bytes.Buffer
	cmd.Stderr = &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "listening on ") {
				close(ready)
			}
		}
		cmd.Wait()
	}()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
		if t.Failed() {
			t.Logf("log of the sample:\n%s", &log)
		}
	})
	select {
	case <-ready:
	case <-ended:
		t.Fatalf("the sample ended: %v", cmd.ProcessState)
	case <-time.After(installation):
		t.Fatal("the sample does not listen")
	}
	return target
}

func interoperate(t *testing.T, target string, open func(rpc.Options) (rpc.Conn, error)) {
	conn, err := open(rpc.Options{Target: target, MaxReceive: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func(ctx context.Context, hook string, size int) error {
		sent := &coprocess.Object{HookName: hook, Request: &coprocess.MiniRequestObject{Url: "/x", RawBody: make([]byte, size)}}
		return dispatch(ctx, conn, sent)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, size := range []int{0, 100, 10_000, 100_000, 3_000_000} {
		if err := ask(ctx, "Echo", size); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			hook, want := "Echo", codes.OK
			if i%10 == 0 {
				hook, want = "Crash", codes.Internal
			}
			if err := ask(ctx, hook, i*1000); status.Code(err) != want {
				t.Errorf("%s: %v, want %s", hook, err, want)
			}
		})
	}
	all.Wait()
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := ask(short, "Slow", 0); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("Slow: %v", err)
	}
	if err := ask(ctx, "Echo", 1); err != nil {
		t.Errorf("after it: %v", err)
	}
	_, err = conn.Invoke(ctx, &rpc.Call{Method: "/coprocess.Dispatcher/Unknown"})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("unknown method: %v", err)
	}
}

// dispatch asks a hook that answers what it gets.
func dispatch(ctx context.Context, conn rpc.Conn, sent *coprocess.Object) error {
	data, err := proto.Marshal(sent)
	if err != nil {
		return err
	}
	call := &rpc.Call{Method: coprocess.Dispatcher_Dispatch_FullMethodName, Message: mem.BufferSlice{mem.SliceBuffer(data)}, Metadata: []string{"x-trace", fmt.Sprint(len(data))}}
	answer, err := conn.Invoke(ctx, call)
	if err != nil {
		return err
	}
	defer answer.Free()
	got := &coprocess.Object{}
	if err := proto.Unmarshal(answer.ReadOnlyData(), got); err != nil {
		return err
	}
	if !proto.Equal(got, sent) {
		return errors.New("the answer is not what was sent")
	}
	return nil
}
