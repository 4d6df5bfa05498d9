package fleet

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A Verdict says what the end of a call tells of the endpoint that had it.
type Verdict int

// The verdicts.
const (
	// Answer is an endpoint that works: it answered, if only to complain. It
	// is not ejected for it, the breaker counts a success, and no other
	// endpoint is asked, since it would say the same.
	Answer Verdict = iota
	// Outage is an endpoint that did not do its part. In a row they eject it
	// and open the breaker, and where that does no harm another one is asked.
	Outage
	// Nothing is a call that says nothing: the client left, it was not made, or
	// it came too late to be answered.
	Nothing
)

// String returns the verdict's name in the documentation.
func (v Verdict) String() string { return [...]string{"answer", "outage", "nothing"}[v] }

// A Meaning is a row of the table of what the codes of gRPC mean here.
type Meaning struct {
	Code    codes.Code
	Verdict Verdict
	Why     string
}

// Meanings is the table of what each code of gRPC means here. Whoever can send
// requests can make a plugin fail at them, so only what a request cannot bring
// about by what is in it counts against the endpoint.
func Meanings() []Meaning {
	return []Meaning{
		{codes.OK, Answer, "the plugin answered"},
		{codes.Canceled, Outage, "the server broke the call off; when it was the client that left, it says nothing"},
		{codes.Unknown, Answer, "the plugin threw an exception: the server lives, and the next would throw it too"},
		{codes.InvalidArgument, Answer, "the plugin complains"},
		{codes.DeadlineExceeded, Outage, "no answer in time; when other hooks had left it less than an eighth of its own, it says nothing"},
		{codes.NotFound, Answer, "the plugin complains"},
		{codes.AlreadyExists, Answer, "the plugin complains"},
		{codes.PermissionDenied, Answer, "the server lives, and does not let the gateway in"},
		{codes.ResourceExhausted, Answer, "a message is too large, or the server has enough to do: asking again makes that worse"},
		{codes.FailedPrecondition, Answer, "the plugin complains"},
		{codes.Aborted, Answer, "the plugin complains"},
		{codes.OutOfRange, Answer, "the plugin complains"},
		{codes.Unimplemented, Answer, "the server lives, but is no plugin server"},
		{codes.Internal, Outage, "the stream was broken, or what came was no gRPC; one that the server itself ends a call with is an answer"},
		{codes.Unavailable, Outage, "there is no connection, or it was lost"},
		{codes.DataLoss, Answer, "the plugin complains"},
		{codes.Unauthenticated, Answer, "the server lives, and does not know the gateway"},
	}
}

// errOvertaken ends a call that another endpoint has answered meanwhile.
var errOvertaken = errors.New("another endpoint was faster")

// judge says what the end of a call tells. A client that left tells nothing,
// whatever came of the call.
func judge(ctx context.Context, err error) Verdict {
	switch {
	case err == nil:
		return Answer
	case errors.Is(ctx.Err(), context.Canceled) && context.Cause(ctx) != errOvertaken:
		return Nothing
	case rpc.Unsent(err), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Outage
	}
	if _, ok := errors.AsType[*rpc.Overloaded](err); ok {
		return Nothing
	}
	switch status.Code(err) {
	case codes.Internal:
		if _, ok := errors.AsType[*rpc.Said](err); ok {
			return Answer
		}
		return Outage
	case codes.Canceled, codes.DeadlineExceeded, codes.Unavailable:
		return Outage
	}
	return Answer
}
