package fleet

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// The table of codes says what is done, and leaves none out.
func TestMeanings(t *testing.T) {
	const all = codes.Unauthenticated + 1
	meanings := Meanings()
	if len(meanings) != int(all) {
		t.Errorf("the table has %d codes of %d", len(meanings), all)
	}
	for i, m := range meanings {
		if m.Code != codes.Code(i) || m.Why == "" {
			t.Errorf("row %d is %+v", i, m)
		}
		if got := judge(t.Context(), status.Error(m.Code, "")); got != m.Verdict {
			t.Errorf("%v counts as %v, the table says %v", m.Code, got, m.Verdict)
		}
	}
}

// What is no plain status counts too.
func TestJudge(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	overtaken, win := context.WithCancelCause(t.Context())
	win(errOvertaken)
	late, stop := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer stop()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want Verdict
	}{
		"an answer":                 {t.Context(), nil, Answer},
		"an answer, after all":      {gone, nil, Answer},
		"not sent":                  {t.Context(), &rpc.NotSent{Err: status.Error(codes.Unknown, "")}, Outage},
		"wrapped":                   {t.Context(), fmt.Errorf("x: %w", status.Error(codes.Unavailable, "")), Outage},
		"the client's deadline":     {late, context.DeadlineExceeded, Outage},
		"the client left":           {gone, status.Error(codes.Canceled, ""), Nothing},
		"the client left, whatever": {gone, status.Error(codes.Unavailable, ""), Nothing},
		"another was faster":        {overtaken, status.Error(codes.Canceled, ""), Outage},
		"no status":                 {t.Context(), errors.New("x"), Answer},
	} {
		if got := judge(c.ctx, c.err); got != c.want {
			t.Errorf("%s counts as %v, want %v", name, got, c.want)
		}
	}
}
