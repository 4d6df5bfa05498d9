package plugintest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// hostile runs the verbs of a plugin that is broken, slow or ill-meaning.
func (t *turn) hostile(verb, arg string) bool {
	switch verb {
	case "esc":
		t.escaped = true
	case "if":
		_, given := t.object.GetRequest().GetHeaders()[arg]
		t.stop = !given
	case "hang":
		<-t.ctx.Done()
		t.err = status.FromContextError(t.ctx.Err()).Err()
	case "sleep":
		t.sleep(arg)
	case "die":
		t.die()
		<-t.ctx.Done()
		t.err = status.FromContextError(t.ctx.Err()).Err()
	case "empty":
		t.object = &coprocess.Object{}
	case "norequest":
		t.object.Request = nil
	case "nooverrides":
		if t.object.Request != nil {
			t.object.Request.ReturnOverrides = nil
		}
	case "fill":
		put(&t.object.Spec, "fill", strings.Repeat("x", int(number(arg))))
	case "garbage":
		t.err = errGarbage
	default:
		return false
	}
	return true
}

func (t *turn) sleep(arg string) {
	d, err := time.ParseDuration(arg)
	if err != nil {
		return
	}
	select {
	case <-time.After(d):
	case <-t.ctx.Done():
		t.err = status.FromContextError(t.ctx.Err()).Err()
	}
}

// unescape reads the escapes of a Go string; a text that has bad ones is left
// as it is.
func unescape(s string) string {
	u, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	if err != nil {
		return s
	}
	return u
}

// errGarbage asks for an answer that is not a message.
var errGarbage = errors.New("garbage asked for")

// rawReply is sent as it is, whatever message the method should answer.
type rawReply []byte

// sendGarbage puts bytes that no protobuf decoder accepts in the place of the
// answer when the script asks for it.
func sendGarbage(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	reply, err := next(ctx, req)
	if errors.Is(err, errGarbage) {
		return rawReply("\xff\xff\xff\xff not a message"), nil
	}
	return reply, err
}

// rawCodec is the protobuf codec, except that a rawReply passes it untouched.
type rawCodec struct{ encoding.CodecV2 }

// Marshal encodes a message, or hands on a rawReply.
func (c rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	if raw, ok := v.(rawReply); ok {
		return mem.BufferSlice{mem.SliceBuffer(raw)}, nil
	}
	return c.CodecV2.Marshal(v)
}
