// Package plugintest is what plugin protocols are tested with: a plugin server
// whose hooks do what their names say, and the contract that every protocol
// package must keep.
//
// A hook of the server is a small program: verbs separated by semicolons, run
// in order on the Object that was received, which is then the answer.
//
//	set X-Tenant=7;del Cookie          change headers
//	ov 403;overr go away               answer the client
//	esc;set X-A=a\r\nb                 send what HTTP forbids
//
// The verbs, T being the rest of the verb, N a number, D a duration as in
// 50ms, K and V the text before and after the first equals sign:
//
//	set K=V, del K            add to set_headers, to delete_headers
//	param K=V, delparam K     add to add_params, to delete_params
//	mv K=A,B, mvparam K=A,B   add to multivalue_headers, to multivalue_params
//	add K=A,B, addparam K=A,B add to append_headers, to append_params
//	trailer K=A, ovmv K=A,B   add to request.trailers, multivalue_headers of
//	                          the overrides
//	url T, method T           set request.url, request.method
//	raw T, body T, clearraw   set request.raw_body, request.body; empty raw_body
//	ov N, overr T, ovbody T   set response_code, response_error, response_body
//	ovflag, ovh K=V           set override_error, add a header to the overrides
//	rpc N                     fail the call with gRPC status N
//	rh K=V, rdel K            set, delete in response.headers
//	rmv K=A,B, rmvdel K       add, drop entries of response.multivalue_headers
//	rraw T, rbody T           set response.raw_body, response.body
//	rstatus N, rnil           set response.status_code; send no response
//	auth T                    unless Authorization is T, refuse with 403 and
//	                          stop; else set session and metadata.token
//	notoken, nosession        send no metadata, no session
//	rate R=P, quota Q=S       set the session's rate and quota
//	meta K=V, deadline N      add metadata; id_extractor_deadline N s from now
//
// and those of a plugin that is broken, slow or hostile:
//
//	esc                 read the escapes of a Go string in the verbs after it
//	copy K=V            set header V to the request's header K
//	self K              set header K to the address of the server
//	if K                run the verbs after it for requests with header K only
//	hang                answer only when the caller has given up
//	sleep D             wait before the verbs after it
//	die                 end the server in the middle of the call
//	empty               answer an Object without any field
//	norequest           answer without request
//	nooverrides         answer without request.return_overrides
//	fill N              add N bytes that mean nothing
//	garbage             answer bytes that are no message
//
// Any other verb, as noop, does nothing.
package plugintest

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// CaseHeader is the request header by which recorded calls are told apart.
const CaseHeader = "X-Case"

// A Script is a plugin whose hooks do what their names say. It remembers every
// call. It is safe for use by several goroutines.
type Script struct {
	coprocess.UnimplementedDispatcherServer

	die  func() // ends the server
	name string // what the verb self says

	mu        sync.Mutex
	forgetful bool
	calls     []*Call
	events    []string
}

// NewScript returns a script. Its verb die calls the given function, which may
// return before the server has ended.
func NewScript(die func()) *Script { return &Script{die: die} }

// Forget makes the script remember no more calls, for those that are too many.
func (s *Script) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetful, s.calls = true, nil
}

// Calls returns the calls so far of the requests with this X-Case header; the
// empty string selects all calls.
func (s *Script) Calls(id string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []Call{}
	for _, c := range s.calls {
		if id == "" || c.Object.GetRequest().GetHeaders()[CaseHeader] == id {
			found = append(found, *c)
		}
	}
	return found
}

// Events returns the payloads of the events so far.
func (s *Script) Events() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.events...)
}

// Dispatch records the Object and runs the hook's verbs on it.
func (s *Script) Dispatch(ctx context.Context, o *coprocess.Object) (*coprocess.Object, error) {
	call := s.record(ctx, o)
	t := &turn{ctx: ctx, object: o, die: s.die, name: s.name}
	t.run(o.GetHookName())
	if ctx.Err() != nil && call != nil {
		s.mu.Lock()
		call.Cancelled = true
		s.mu.Unlock()
	}
	return t.object, t.err
}

// DispatchEvent records the event's payload.
func (s *Script) DispatchEvent(_ context.Context, e *coprocess.Event) (*coprocess.EventReply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e.GetPayload())
	return &coprocess.EventReply{}, nil
}

// record remembers the call as it came in, before any verb changes the Object. It
// returns nil when calls are not remembered.
func (s *Script) record(ctx context.Context, o *coprocess.Object) *Call {
	s.mu.Lock()
	forgetful := s.forgetful
	s.mu.Unlock()
	if forgetful {
		return nil
	}
	c := &Call{Object: proto.CloneOf(o)}
	if end, ok := ctx.Deadline(); ok {
		c.Timeout = time.Until(end)
	}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		if a := md.Get(":authority"); len(a) > 0 {
			c.Authority = a[0]
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	return c
}
