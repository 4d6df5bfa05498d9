package rpctest

import (
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// fields: what the header fields of an answer say is a success, or one status.
type fields struct{ Opener }

func (open fields) test(t *testing.T) {
	only := func(pairs ...string) answer {
		return func(p *Peer, id uint32) { p.Fields(id, true, pairs...) }
	}
	begun := func(pairs ...string) []string {
		return append([]string{":status", "200", "content-type", "application/grpc"}, pairs...)
	}
	for name, test := range map[string]struct {
		answer answer
		want   codes.Code
	}{
		// A grpc-status counts for more than the status of HTTP, which counts
		// where there is none.
		"HTTP 503 beside a status": {only(":status", "503", "content-type", "application/grpc", "grpc-status", "8"), codes.ResourceExhausted},
		"HTTP 503 of no gRPC":      {only(":status", "503", "content-type", "text/plain", "grpc-status", "8"), codes.Unavailable},
		"HTTP 503 without a type":  {only(":status", "503"), codes.Unavailable},
		"interim, and the end":     {only(":status", "103"), codes.Internal},

		"no type":         {whole([]string{":status", "200"}, "grpc-status", "0"), codes.Unknown},
		"another type":    {whole([]string{":status", "200", "content-type", "application/json"}, "grpc-status", "0"), codes.Unknown},
		"type like gRPC":  {whole([]string{":status", "200", "content-type", "application/grpc-web"}, "grpc-status", "0"), codes.Unknown},
		"type beyond":     {whole([]string{":status", "200", "content-type", "application/grpcs"}, "grpc-status", "0"), codes.Unknown},
		"no status":       {whole(begun(), "x", "y"), codes.Unknown},
		"no status alone": {only(begun()...), codes.Unknown},
		"empty status":    {whole(begun(), "grpc-status", ""), codes.Unknown},
		"status: text":    {whole(begun(), "grpc-status", "x"), codes.Unknown},
		"status: huge":    {whole(begun(), "grpc-status", "4294967296"), codes.Unknown},

		":status twice":         {only(begun(":status", "200", "grpc-status", "5")...), codes.Internal},
		":status late":          {only("content-type", "application/grpc", ":status", "200", "grpc-status", "5"), codes.Internal},
		"field of a request":    {only(":status", "200", ":path", "/", "content-type", "application/grpc", "grpc-status", "5"), codes.Internal},
		"upper-case name":       {only(begun("X-Y", "1", "grpc-status", "5")...), codes.Internal},
		"space in a name":       {only(begun("x y", "1", "grpc-status", "5")...), codes.Internal},
		"end of line in a name": {only(begun("x\r\ny", "1", "grpc-status", "5")...), codes.Internal},
		"end of line":           {only(begun("x", "1\r\ny: 2", "grpc-status", "5")...), codes.Internal},
		"NUL":                   {only(begun("x", "\x00", "grpc-status", "5")...), codes.Internal},
		"control in a text":     {only(begun("grpc-status", "5", "grpc-message", "a\nb")...), codes.Internal},

		"coding":          {compressed(begun("grpc-encoding", "gzip")), codes.Internal},
		"unknown coding":  {compressed(begun("grpc-encoding", "snappy")), codes.Internal},
		"coding identity": {compressed(begun("grpc-encoding", "identity")), codes.Internal},
		"largest length":  {func(p *Peer, id uint32) { p.Begin(id); p.Data(id, []byte{0, 255, 255, 255, 255, 1}) }, codes.ResourceExhausted},
		"headers again":   {func(p *Peer, id uint32) { p.Begin(id); p.Message(id, nil); p.Fields(id, false, "x", "y") }, codes.Internal},
	} {
		fails(t, open.Opener, name, test.answer, test.want)
	}
	t.Run("good ones", open.good)
}

// whole answers with these headers, a message and these trailers.
func whole(headers []string, trailers ...string) answer {
	return func(p *Peer, id uint32) {
		p.Fields(id, false, headers...)
		p.Message(id, []byte("x"))
		p.Fields(id, true, trailers...)
	}
}

// compressed answers with a message that says to be compressed.
func compressed(headers []string) answer {
	return func(p *Peer, id uint32) {
		p.Fields(id, false, headers...)
		p.Data(id, []byte{1, 0, 0, 0, 1, 1})
		p.End(id)
	}
}

// good: what is unusual and right is a success.
func (open fields) good(t *testing.T) {
	for name, answer := range map[string]answer{
		"type with a codec":     whole([]string{":status", "200", "content-type", "application/grpc+proto"}, "grpc-status", "0"),
		"type with a parameter": whole([]string{":status", "200", "content-type", "application/grpc; charset=utf-8"}, "grpc-status", "0"),
		"coding not used":       whole([]string{":status", "200", "content-type", "application/grpc", "grpc-encoding", "gzip"}, "grpc-status", "0"),
		"status with a zero":    whole([]string{":status", "200", "content-type", "application/grpc"}, "grpc-status", "00"),
		"text of a success":     whole([]string{":status", "200", "content-type", "application/grpc"}, "grpc-status", "0", "grpc-message", "fine"),
		"much beside it":        whole([]string{":status", "200", "x-a", "é", "content-type", "application/grpc", "x-bin", "AAE="}, "x-b", "1", "grpc-status", "0"),
	} {
		t.Run(name, func(t *testing.T) {
			c := open.conn(t, rpc.Options{Target: Script(t, func(_ int, p *Peer) {
				id, _ := p.Request()
				answer(p, id)
			})})
			if got, err := ask(bounded(t), c, MethodEcho, nil); got != "x" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// resets: each code of HTTP/2 stands for one of gRPC. REFUSED_STREAM is among the
// endings.
func (open Opener) resets(t *testing.T) {
	for code, want := range map[http2.ErrCode]codes.Code{
		http2.ErrCodeNo: codes.Internal, http2.ErrCodeProtocol: codes.Internal, http2.ErrCodeInternal: codes.Internal,
		http2.ErrCodeFlowControl: codes.ResourceExhausted, http2.ErrCodeSettingsTimeout: codes.Internal,
		http2.ErrCodeStreamClosed: codes.Internal, http2.ErrCodeFrameSize: codes.Internal, http2.ErrCodeCancel: codes.Canceled,
		http2.ErrCodeCompression: codes.Internal, http2.ErrCodeConnect: codes.Internal,
		http2.ErrCodeEnhanceYourCalm: codes.ResourceExhausted, http2.ErrCodeInadequateSecurity: codes.PermissionDenied,
		http2.ErrCodeHTTP11Required: codes.Internal,
	} {
		fails(t, open, code.String(), func(p *Peer, id uint32) { p.reset(id, code) }, want)
	}
}
