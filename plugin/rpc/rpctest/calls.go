package rpctest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// pattern is content that shows when a part of it is missing or out of place.
func pattern(n int) []byte {
	b := make([]byte, 0, n+20)
	for i := int64(0); len(b) < n; i++ {
		b = append(strconv.AppendInt(b, i, 10), ',')
	}
	return b[:n]
}

// calls: what a call says arrives, and so does its answer, whatever the size.
func (open Opener) calls(t *testing.T) {
	s := Serve(t, "tcp", "127.0.0.1:0", nil)
	c := open.conn(t, rpc.Options{Target: s.Target, MaxReceive: 32 << 20, Authority: "authority.test"})
	t.Run("sizes", func(t *testing.T) {
		for _, n := range []int{0, 1, 100, 1 << 10, 16<<10 - 5, 16<<10 - 4, 16 << 10, 65530, 65531, 1<<20 + 1, 20 << 20} {
			content := pattern(n)
			if got, err := ask(bounded(t), c, MethodEcho, content); err != nil || got != string(content) {
				t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
			}
		}
	})
	t.Run("metadata", func(t *testing.T) {
		for range 3 { // how fields are sent differs from call to call
			got, err := ask(bounded(t), c, MethodMetadata, nil, "x-a", "1", "authorization", "Bearer a/b=", "x-long", strings.Repeat("v", 40<<10))
			for _, want := range []string{":authority=authority.test", "content-type=application/grpc", "x-a=1", "authorization=Bearer a/b=", "x-long=vvv"} {
				if err != nil || !strings.Contains("\n"+got, "\n"+want) {
					t.Fatalf("%v, no %q among\n%.500s", err, want, got)
				}
			}
		}
	})
	t.Run("status", func(t *testing.T) {
		for _, text := range []string{"", "no", "100% é\r\n\x00", "%41%zz%"} {
			_, err := ask(bounded(t), c, MethodFail, []byte(text))
			if wantFailure(t, err, codes.PermissionDenied, false); status.Convert(err).Message() != text {
				t.Errorf("%q became %q", text, status.Convert(err).Message())
			}
		}
	})
	t.Run("unknown method", func(t *testing.T) {
		_, err := ask(bounded(t), c, "/rpctest.Server/Unknown", nil)
		wantFailure(t, err, codes.Unimplemented, false)
	})
	t.Run("many methods", func(t *testing.T) { // more than any table of headers takes
		for i := range 300 {
			_, err := ask(bounded(t), c, fmt.Sprintf("/rpctest.Server/%0200d", i%150), nil)
			wantFailure(t, err, codes.Unimplemented, false)
		}
	})
	t.Run("parallel", func(t *testing.T) { parallel(t, c) })
	t.Run("unix", func(t *testing.T) {
		c := open.conn(t, rpc.Options{Target: Serve(t, "unix", socket(t), nil).Target})
		if got, err := ask(bounded(t), c, MethodMetadata, nil); err != nil || !strings.Contains(got, ":authority=localhost") {
			t.Errorf("%v, %q", err, got)
		}
	})
	t.Run("dial", func(t *testing.T) {
		dialled := ""
		c := open.conn(t, rpc.Options{Target: "plugin.test:1", Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = network + " " + address
			return (&net.Dialer{}).DialContext(ctx, "tcp", s.Target)
		}})
		if got, err := ask(bounded(t), c, MethodMetadata, nil); err != nil || !strings.Contains(got, ":authority=plugin.test:1") || dialled != "tcp plugin.test:1" {
			t.Errorf("%v, %q, dialled %q", err, got, dialled)
		}
	})
}

// parallel makes calls of all sizes at once, some of which are given up.
func parallel(t *testing.T, c rpc.Conn) {
	var all sync.WaitGroup
	most := pattern(200_000)
	for worker := range 16 {
		all.Go(func() {
			for i := range 60 {
				content := most[:(i*i*i*(worker+1))%len(most)]
				ctx := bounded(t)
				if i%10 == 9 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Duration(worker*i)*time.Microsecond)
					defer cancel()
				}
				got, err := ask(ctx, c, MethodEcho, content)
				switch {
				case err != nil && i%10 == 9 && status.Code(err) == codes.DeadlineExceeded:
				case err != nil:
					t.Error(err)
				case sha256.Sum256([]byte(got)) != sha256.Sum256(content):
					t.Errorf("worker %d, call %d: the answer is damaged", worker, i)
				}
			}
		})
	}
	all.Wait()
}

// limits: messages and answers are bounded, and one that is too large does no harm
// to others.
func (open Opener) limits(t *testing.T) {
	s := Serve(t, "tcp", "127.0.0.1:0", nil)
	plain := open.conn(t, rpc.Options{Target: s.Target})
	narrow := open.conn(t, rpc.Options{Target: s.Target, MaxReceive: 2 << 10, MaxSend: 1 << 20})
	for _, test := range []struct {
		c    rpc.Conn
		size int
		want codes.Code
	}{
		{plain, rpc.DefaultMaxReceive, codes.OK},
		{plain, rpc.DefaultMaxReceive + 1, codes.ResourceExhausted},
		{narrow, 2 << 10, codes.OK},
		{narrow, 2<<10 + 1, codes.ResourceExhausted},
		{narrow, 1 << 20, codes.ResourceExhausted},
		{narrow, 1<<20 + 1, codes.ResourceExhausted},
	} {
		for range 3 {
			_, err := ask(bounded(t), test.c, MethodEcho, pattern(test.size))
			if status.Code(err) != test.want || rpc.Unsent(err) {
				t.Errorf("%d bytes: %v", test.size, err)
			}
		}
	}
}

// context: the caller's deadline reaches the server, and bounds the call [L-7].
func (open Opener) context(t *testing.T) {
	s := Serve(t, "tcp", "127.0.0.1:0", nil)
	c := open.conn(t, rpc.Options{Target: s.Target})
	t.Run("none is invented", func(t *testing.T) {
		if got, err := ask(context.Background(), c, MethodTimeout, nil); err != nil || got != "none" {
			t.Errorf("%q, %v", got, err)
		}
	})
	t.Run("deadline is sent", func(t *testing.T) {
		for _, want := range []time.Duration{patience, time.Hour, 300 * time.Hour, 1e6 * time.Hour} {
			ctx, cancel := context.WithTimeout(t.Context(), want)
			got, err := ask(ctx, c, MethodTimeout, nil)
			cancel()
			if left, bad := time.ParseDuration(got); err != nil || bad != nil || left > want+time.Hour/60 || left < want-patience {
				t.Errorf("%v of %v, %v", got, want, err)
			}
		}
	})
	t.Run("deadline passes", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		wantFailure(t, await(t, begin(ctx, c, MethodHang, nil)).err, codes.DeadlineExceeded, false)
		eventually(t, "the server sees it", func() bool { return s.Left() == s.Hanging() })
	})
	t.Run("cancel", func(t *testing.T) {
		before := s.Hanging()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := begin(ctx, c, MethodHang, nil)
		eventually(t, "the call arrives", func() bool { return s.Hanging() > before })
		cancel()
		wantFailure(t, await(t, done).err, codes.Canceled, false)
		eventually(t, "the server sees it", func() bool { return s.Left() == s.Hanging() })
	})
	t.Run("over before it begins", func(t *testing.T) {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		_, err := ask(ctx, c, MethodEcho, nil)
		wantFailure(t, err, codes.DeadlineExceeded, true)
	})
	t.Run("no server answers", func(t *testing.T) {
		hangs := open.conn(t, rpc.Options{Target: "plugin.test:1", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, errors.New("nobody answers")
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		wantFailure(t, await(t, begin(ctx, hangs, MethodEcho, nil)).err, codes.DeadlineExceeded, true)
		if got := hangs.State(); got != rpc.Connecting {
			t.Errorf("state %s", got)
		}
	})
}
