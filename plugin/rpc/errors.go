package rpc

import (
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// An Overloaded is the failure of a call that was not made: as many are under way
// and waiting as may be, or the server has only failed lately and is left alone.
// It comes inside a [NotSent].
type Overloaded struct {
	Reason string        // for the operator
	After  time.Duration // when it makes sense to ask again
}

// Error tells the reason.
func (e *Overloaded) Error() string { return fmt.Sprintf("not asked: %s", e.Reason) }

// GRPCStatus is the failure as gRPC knows it.
func (e *Overloaded) GRPCStatus() *status.Status { return status.New(codes.Unavailable, e.Error()) }

// RetryAfter is when it makes sense to ask again. Who does not know this package
// finds it by the method.
func (e *Overloaded) RetryAfter() time.Duration { return e.After }
