package rpctest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/mem"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/direct"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/rpctest"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/standard"
)

// serveVariable tells a process of this test that it is the server.
const serveVariable = "GRAPNEL_RPCTEST_SERVE"

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) == "" {
		os.Exit(m.Run())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := rpctest.NewServer(l, nil)
	fmt.Println(s.Target)
	io.Copy(io.Discard, os.Stdin) // until the test ends
	s.Stop()
}

// elsewhere starts a server in a process of its own, so that what this one uses
// is the client's.
func elsewhere(t testing.TB) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveVariable+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); cmd.Wait() })
	line := make([]byte, 64)
	n, err := stdout.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(line[:n]))
}

// both are the two implementations.
func both() map[string]func(rpc.Options) (rpc.Conn, error) {
	return map[string]func(rpc.Options) (rpc.Conn, error){
		"direct":   func(o rpc.Options) (rpc.Conn, error) { return direct.New(o) },
		"standard": func(o rpc.Options) (rpc.Conn, error) { return standard.New(o) },
	}
}

// cpu is what this process has used of it.
func cpu(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// allocations bounds what a call with our own client allocates, of which the call
// itself is two. Of memory that is used again, some is lost now and then.
const allocations = 8

func TestAllocations(t *testing.T) {
	conn, err := direct.New(rpc.Options{Target: elsewhere(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, size := range []int{100, 16 << 10, 1 << 20} {
		content := mem.SliceBuffer(bytes.Repeat([]byte{'x'}, size))
		n := testing.AllocsPerRun(200, func() {
			answer, err := conn.Invoke(t.Context(), &rpc.Call{Method: rpctest.MethodEcho, Message: mem.BufferSlice{content}})
			if err != nil {
				t.Fatal(err)
			}
			answer.Free()
		})
		if n > allocations {
			t.Errorf("%d bytes: %v allocations, the budget is %d", size, n, allocations)
		}
	}
}

// What a call costs the client, with callers at the same time.
func BenchmarkInvoke(b *testing.B) {
	target := elsewhere(b)
	for name, open := range both() {
		for _, size := range []int{500, 16 << 10, 1 << 20} {
			for _, callers := range []int{1, 32} {
				b.Run(fmt.Sprintf("%s/size=%d/callers=%d", name, size, callers), func(b *testing.B) {
					conn, err := open(rpc.Options{Target: target})
					if err != nil {
						b.Fatal(err)
					}
					defer conn.Close()
					invokeAll(b, conn, size, callers)
				})
			}
		}
	}
}

func invokeAll(b *testing.B, conn rpc.Conn, size, callers int) {
	content := mem.SliceBuffer(bytes.Repeat([]byte{'x'}, size))
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	call := func() {
		call := rpc.Call{Method: rpctest.MethodEcho, Message: mem.BufferSlice{content}}
		answer, err := conn.Invoke(ctx, &call)
		if err != nil {
			b.Error(err)
			return
		}
		answer.Free()
	}
	call()
	runtime.GC()
	var all sync.WaitGroup
	var n atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	begin := cpu(b)
	for range callers {
		all.Go(func() {
			for n.Add(1) <= int64(b.N) {
				call()
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64((cpu(b)-begin).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
}
