package tryout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// addedFields: what this contract has and the original's has not comes back, or is
// dropped, as by servers that were built on the original's. Both change nothing;
// anything else would.
func (x *examination) addedFields(ctx context.Context) verdict {
	o := object(grapnel.Response)
	several := []*wire.Header{{Key: "X-Several", Values: []string{"1", "2"}}}
	o.Facts = &wire.Facts{Client: &wire.ClientFacts{Address: "192.0.2.1"}, Claims: `{"sub":"verify"}`}
	o.Request.MultivalueHeaders, o.Request.Trailers, o.Response.Trailers = several, several, several
	o.Request.MultivalueParams = []*wire.Param{{Name: "a", Values: []string{"1", "2"}}}
	o.Session.MetadataJson, o.Session.Extra = map[string]string{"n": "7"}, map[string]string{"smoothing": "{}"}
	o.Session.AccessRights = map[string]*wire.AccessDefinition{"verify": {ApiId: "verify", Limit: &wire.APILimit{Rate: 1, Per: 1}}}
	a, err := x.ask(ctx, o)
	if v, bad := x.sameAs(err); bad {
		return v
	}
	for _, c := range a.Changes() {
		if c.New != "" && c.New != "{}" {
			return verdictf(Fail, "changed: %s", c)
		}
	}
	if changes := a.Changes(); len(changes) > 0 {
		return verdictf(Warn, "dropped, as %s; a gateway takes that as left alone", changes[0].Path)
	}
	return verdict{Pass, "come back"}
}

// unknownFields: what a later contract adds comes back, or is at least no
// error.
func (x *examination) unknownFields(ctx context.Context) verdict {
	o := object(grapnel.Response)
	later := protowire.AppendTag(nil, 1999, protowire.BytesType)
	later = protowire.AppendString(later, "of a later contract")
	parts := []struct {
		name string
		of   func(*wire.Object) proto.Message
	}{
		{"Object", func(o *wire.Object) proto.Message { return o }},
		{"request", func(o *wire.Object) proto.Message { return o.Request }},
		{"response", func(o *wire.Object) proto.Message { return o.Response }},
	}
	for _, p := range parts {
		p.of(o).ProtoReflect().SetUnknown(later)
	}
	a, err := x.ask(ctx, o)
	if v, bad := x.sameAs(err); bad {
		return v
	}
	for _, p := range parts {
		if !bytes.Equal(p.of(a.Got).ProtoReflect().GetUnknown(), later) {
			return verdictf(Warn, "dropped from the %s; a gateway takes that as left alone", p.name)
		}
	}
	return verdict{Pass, "come back"}
}

func (x *examination) unknownEnum(ctx context.Context) verdict {
	o := object(grapnel.Pre)
	o.HookType = 99
	a, err := x.ask(ctx, o)
	if v, bad := x.sameAs(err); bad {
		return v
	}
	if a.Got.HookType != o.HookType {
		return verdictf(Warn, "hook_type 99 came back as %d; a gateway ignores it", a.Got.HookType)
	}
	return verdict{Pass, "comes back"}
}

// largeBody: a megabyte of bytes, and one of text, which is sent twice.
func (x *examination) largeBody(ctx context.Context) verdict {
	binary := make([]byte, 1<<20)
	random := rand.NewChaCha8([32]byte{})
	random.Read(binary) // never fails
	for what, body := range map[string][]byte{"binary": binary, "text": bytes.Repeat([]byte("0123456789abcdé\n"), 1<<16)} {
		o := object(grapnel.Pre)
		o.Request.RawBody, o.Request.Body = body, text(body)
		a, err := x.ask(ctx, o)
		switch code := status.Code(err); {
		case code == codes.ResourceExhausted:
			return verdictf(Fail, "%s: raise the server's limit on received messages: %v", what, err)
		case code == codes.OK && !bytes.Equal(a.Got.GetRequest().GetRawBody(), body):
			return verdictf(Fail, "%s: came back as %d other bytes", what, len(a.Got.GetRequest().GetRawBody()))
		}
		if v, bad := x.sameAs(err); bad {
			return v
		}
	}
	return verdict{Pass, "comes back, as bytes and as text"}
}

// parallel: 200 calls at once, each of which gets its own answer.
func (x *examination) parallel(ctx context.Context) verdict {
	const calls = 200
	faults := make([]error, calls)
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			o := object(grapnel.Pre)
			o.Request.RawBody, o.Request.Body = fmt.Append(nil, i), fmt.Sprint(i)
			a, err := x.ask(ctx, o)
			switch {
			case status.Code(err) != x.usual:
				faults[i] = err
			case err == nil && a.Got.GetRequest().GetBody() != o.Request.Body:
				faults[i] = errors.New("one call got the answer of another")
			}
		})
	}
	all.Wait()
	faults = slices.DeleteFunc(faults, func(err error) bool { return err == nil })
	if len(faults) > 0 {
		return verdictf(Fail, "%d of %d failed, as: %v", len(faults), calls, faults[0])
	}
	return verdict{Pass, "each got its own answer"}
}

// deadline: callers that give up early do not keep the server from answering
// the next one.
func (x *examination) deadline(ctx context.Context) verdict {
	const hasty = 40 // calls, more than many servers have threads
	objects := []*wire.Object{object(grapnel.Pre)}
	for _, q := range x.Hooks {
		if o, err := q.Message(); err == nil { // else its own check has failed
			objects = append(objects, o)
		}
	}
	var all sync.WaitGroup
	for i := range hasty {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, time.Duration(1+i%20)*time.Millisecond)
			defer cancel()
			x.server.Call(ctx, objects[i%len(objects)]) // most answers are too late
		})
	}
	all.Wait()
	a, err := x.ask(ctx, object(grapnel.Pre))
	if status.Code(err) != x.usual {
		return verdictf(Fail, "after %d calls whose callers gave up: %v", hasty, err)
	}
	if err != nil {
		return verdictf(Pass, "answers after %d callers gave up", hasty)
	}
	return verdictf(Pass, "answers in %v after %d callers gave up", a.Took.Round(time.Millisecond), hasty)
}

// drain: on SIGTERM the call under way gets its answer, and then the server
// ends. The answer is larger than what the caller has room for, so the call is
// under way for as long as the caller does not read on.
func (x *examination) drain(ctx context.Context) verdict {
	if x.usual != codes.OK {
		return verdict{Info, "cannot be told: unknown hooks are an error here"}
	}
	o := object(grapnel.Pre)
	o.Request.RawBody, o.Request.Body = make([]byte, 1<<20), ""
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var reached peer.Peer
	call, err := x.server.conn.NewStream(ctx, &grpc.StreamDesc{}, wire.Dispatcher_Dispatch_FullMethodName, grpc.Peer(&reached))
	if err == nil {
		err = errors.Join(call.SendMsg(o), call.CloseSend())
	}
	if err == nil {
		_, err = call.Header() // the answer has begun
	}
	if err != nil {
		return verdict{Fail, x.server.explain(err, reached, 0).Error()}
	}
	process, err := os.FindProcess(x.PID)
	if err == nil {
		err = process.Signal(syscall.SIGTERM)
	}
	if err != nil {
		return verdictf(Fail, "process %d: %v", x.PID, err)
	}
	refused := x.awaitRefusal(ctx, time.Second)
	if err := call.RecvMsg(&wire.Object{}); err != nil {
		return verdictf(Fail, "the call under way was cut off by SIGTERM: %v", err)
	}
	if !refused && !x.awaitRefusal(ctx, 35*time.Second) {
		return verdict{Fail, "the call under way was answered, but the server goes on after SIGTERM"}
	}
	return verdict{Pass, "the call under way was answered, new ones are refused"}
}

// awaitRefusal waits until the server takes no new calls.
func (x *examination) awaitRefusal(ctx context.Context, limit time.Duration) bool {
	other, err := Dial(x.server.address)
	if err != nil {
		return false
	}
	defer other.Close()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(ctx, x.Patience)
		_, err := other.Call(ctx, object(grapnel.Pre))
		cancel()
		if status.Code(err) == codes.Unavailable {
			return true
		}
	}
	return false
}
