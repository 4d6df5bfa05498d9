// Package rpctest is the contract of [rpc.Conn] as tests, with a server of the
// stock library and one that sends whatever frames a test wants.
package rpctest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// patience bounds every wait; nothing that works comes near it.
const patience = 20 * time.Second

// An Opener makes the connection under test.
type Opener func(rpc.Options) (rpc.Conn, error)

// Suite is the contract of [rpc.Conn] to one address: every package that carries
// calls runs it with its own constructor.
func Suite(t *testing.T, open Opener) {
	t.Run("Calls", open.calls)
	t.Run("Limits", open.limits)
	t.Run("Context", open.context)
	t.Run("Lifetime", open.lifetime)
	t.Run("TLS", open.tls)
	t.Run("Answers", open.answers)
	t.Run("Fields", fields{open}.test)
	t.Run("Resets", open.resets)
	t.Run("Frames", open.frames)
	t.Run("Windows", open.windows)
	t.Run("Credit", credit{open}.test)
	t.Run("Endings", open.endings)
}

// conn opens a connection, and closes it with the test.
func (open Opener) conn(t testing.TB, o rpc.Options) rpc.Conn {
	t.Helper()
	c, err := open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() }) // tests that care close it themselves
	return c
}

// bounded is a context that ends the test's wait.
func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// poison is memory that is spoilt as soon as its last user gives it back.
type poison struct{ mem.NopBufferPool }

// Put spoils the memory.
func (poison) Put(b *[]byte) {
	for i := range *b {
		(*b)[i] = '!'
	}
}

// message makes a message of two parts. Its memory is spoilt once it is free.
func message(content []byte) mem.BufferSlice {
	half := bytes.Clone(content[:len(content)/2])
	rest := bytes.Clone(content[len(content)/2:])
	return mem.BufferSlice{mem.NewBuffer(&half, poison{}), mem.NewBuffer(&rest, poison{})}
}

// ask makes a call, and frees its message as soon as it may.
func ask(ctx context.Context, c rpc.Conn, method string, content []byte, metadata ...string) (string, error) {
	call := &rpc.Call{Method: method, Metadata: metadata, Message: message(content)}
	answer, err := c.Invoke(ctx, call)
	call.Message.Free()
	if err != nil {
		if answer != nil {
			err = fmt.Errorf("an answer beside %w", err)
		}
		return "", err
	}
	if call.Endpoint == "" || call.Sent != 1 {
		return "", fmt.Errorf("the call went to %q, %d times", call.Endpoint, call.Sent)
	}
	defer answer.Free()
	return string(answer.ReadOnlyData()), nil
}

// result is what came of a call.
type result struct {
	answer string
	err    error
}

// begin makes a call beside the test.
func begin(ctx context.Context, c rpc.Conn, method string, content []byte) <-chan result {
	done := make(chan result, 1)
	go func() {
		answer, err := ask(ctx, c, method, content)
		done <- result{answer, err}
	}()
	return done
}

// await is what came of a call that must end now.
func await(t testing.TB, done <-chan result) result {
	t.Helper()
	select {
	case r := <-done:
		return r
	case <-time.After(patience):
		t.Fatalf("the call has not ended after %v", patience)
		return result{}
	}
}

// eventually waits until ok says yes.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) { // between two looks
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain until %s", patience, what)
		}
	}
}

// wantFailure checks the failure of a call.
func wantFailure(t testing.TB, err error, code codes.Code, unsent bool) {
	t.Helper()
	if err == nil || status.Code(err) != code || rpc.Unsent(err) != unsent {
		t.Errorf("error %v, nothing sent: %v; want code %s, nothing sent: %v", err, rpc.Unsent(err), code, unsent)
	}
}

// socket is the path of a Unix socket that is not there yet.
func socket(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rpc") // the paths of Unix sockets must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}
