package rpctest

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// An answer is what a script does about a call, by the number of its stream.
type answer func(*Peer, uint32)

// fails checks that a call which is answered so comes to a failure, and that the
// next one on the same connection does not.
func fails(t *testing.T, open Opener, name string, answer answer, want codes.Code) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		c := open.conn(t, rpc.Options{Target: Script(t, func(n int, p *Peer) {
			if n > 0 {
				p.end("another connection")
			}
			id, _ := p.Request()
			answer(p, id)
			p.Echo()
		})})
		_, err := ask(bounded(t), c, MethodEcho, nil)
		wantFailure(t, err, want, false)
		if got, err := ask(bounded(t), c, MethodEcho, []byte("next")); got != "next" || err != nil {
			t.Errorf("the next call: %q, %v", got, err)
		}
	})
}

// answers: whatever a server answers is a message or a status. One bad answer
// does no harm to the next.
func (open Opener) answers(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		want   codes.Code
	}{
		"status without headers":  {func(p *Peer, id uint32) { trailersOnly(p, id, "5") }, codes.NotFound},
		"success without headers": {func(p *Peer, id uint32) { trailersOnly(p, id, "0") }, codes.Internal},
		"status after a message": {func(p *Peer, id uint32) {
			p.Begin(id)
			p.Message(id, []byte("x"))
			p.Fields(id, true, "grpc-status", "9")
		}, codes.FailedPrecondition},
		"unknown status": {func(p *Peer, id uint32) { trailersOnly(p, id, "77") }, 77},
		"HTTP 400":       {func(p *Peer, id uint32) { web(p, id, "400") }, codes.Internal},
		"HTTP 401":       {func(p *Peer, id uint32) { web(p, id, "401") }, codes.Unauthenticated},
		"HTTP 403":       {func(p *Peer, id uint32) { web(p, id, "403") }, codes.PermissionDenied},
		"HTTP 404":       {func(p *Peer, id uint32) { web(p, id, "404") }, codes.Unimplemented},
		"HTTP 429":       {func(p *Peer, id uint32) { web(p, id, "429") }, codes.Unavailable},
		"HTTP 502":       {func(p *Peer, id uint32) { web(p, id, "502") }, codes.Unavailable},
		"HTTP 503":       {func(p *Peer, id uint32) { web(p, id, "503") }, codes.Unavailable},
		"HTTP 504":       {func(p *Peer, id uint32) { web(p, id, "504") }, codes.Unavailable},
		"HTTP 418":       {func(p *Peer, id uint32) { web(p, id, "418") }, codes.Unknown},
		"HTTP 200":       {func(p *Peer, id uint32) { web(p, id, "200") }, codes.Unknown},
		"no message":     {func(p *Peer, id uint32) { p.Begin(id); p.End(id) }, codes.Internal},
		"two messages":   {func(p *Peer, id uint32) { p.Begin(id); p.Message(id, nil); p.Message(id, nil); p.End(id) }, codes.Internal},
		"half a prefix":  {func(p *Peer, id uint32) { p.Begin(id); p.Data(id, []byte{0, 0}); p.End(id) }, codes.Internal},
		"half a message": {func(p *Peer, id uint32) { p.Begin(id); p.Data(id, []byte{0, 0, 0, 0, 2, 1}); p.End(id) }, codes.Internal},
		"compressed":     {func(p *Peer, id uint32) { p.Begin(id); p.Data(id, []byte{1, 0, 0, 0, 1, 1}); p.End(id) }, codes.Internal},
		"another flag":   {func(p *Peer, id uint32) { p.Begin(id); p.Data(id, []byte{2, 0, 0, 0, 1, 1}); p.End(id) }, codes.Internal},
		"too large":      {func(p *Peer, id uint32) { p.Begin(id); p.Data(id, []byte{0, 255, 0, 0, 1, 1}) }, codes.ResourceExhausted},
		"no trailers":    {func(p *Peer, id uint32) { p.Begin(id); p.must(p.WriteData(id, true, frame(nil))) }, codes.Internal},
		"reset in the middle": {func(p *Peer, id uint32) {
			p.Begin(id)
			p.Data(id, []byte{0, 0, 0, 0, 9, 1})
			p.reset(id, http2.ErrCodeInadequateSecurity)
		}, codes.PermissionDenied},
	} {
		fails(t, open, name, test.answer, test.want)
	}
	t.Run("message of the status", open.texts)
	t.Run("said", open.said)
}

// said: what the server ends a call with is told from what breaks on the way.
func (open Opener) said(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		want   bool
	}{
		"status alone":      {func(p *Peer, id uint32) { trailersOnly(p, id, "13") }, true},
		"status at the end": {whole([]string{":status", "200", "content-type", "application/grpc"}, "grpc-status", "13"), true},
		"reset":             {func(p *Peer, id uint32) { p.reset(id, http2.ErrCodeInternal) }, false},
		"reset after half":  {func(p *Peer, id uint32) { p.Begin(id); p.reset(id, http2.ErrCodeInternal) }, false},
		"no trailers":       {func(p *Peer, id uint32) { p.Begin(id); p.must(p.WriteData(id, true, frame(nil))) }, false},
		"not gRPC":          {func(p *Peer, id uint32) { web(p, id, "400") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			conn := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
				id, _ := p.Request()
				c.answer(p, id)
			})})
			_, err := ask(bounded(t), conn, MethodEcho, nil)
			wantFailure(t, err, codes.Internal, false)
			if _, said := errors.AsType[*rpc.Said](err); said != c.want {
				t.Errorf("the server's own word: %v, of %v", said, err)
			}
		})
	}
}

// texts: the text of a status comes percent-encoded, and may be broken.
func (open Opener) texts(t *testing.T) {
	c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
		for {
			id, content := p.Request()
			p.Fields(id, true, ":status", "200", "content-type", "application/grpc+proto", "grpc-status", "3", "grpc-message", string(content))
		}
	})})
	for sent, want := range map[string]string{"": "", "a b": "a b", "%C3%A9%0a%25": "é\n%", "100%": "100%", "%4": "%4", "%zz%41": "%zzA", "%": "%"} {
		_, err := ask(bounded(t), c, MethodEcho, []byte(sent))
		if s := status.Convert(err); s.Code() != codes.InvalidArgument || s.Message() != want {
			t.Errorf("%q: %v", sent, err)
		}
	}
}

func trailersOnly(p *Peer, id uint32, code string) {
	p.Fields(id, true, ":status", "200", "content-type", "application/grpc", "grpc-status", code)
}

// web answers as a server of web pages does.
func web(p *Peer, id uint32, code string) {
	p.Fields(id, false, ":status", code, "content-type", "text/html")
	p.must(p.WriteData(id, true, []byte(strings.Repeat("<p>", 100))))
}

func (p *Peer) reset(id uint32, code http2.ErrCode) { p.must(p.WriteRSTStream(id, code)) }
