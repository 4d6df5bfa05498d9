package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// A rung is a step after a failure, ready to be taken.
type rung struct {
	grapnel.Step
	server *server // whom StepPlugin asks
}

// climb takes the steps after a failure until one settles the matter. Only a
// plugin that gave no answer, or none that counts, leads here: a refusal is an
// answer. The last step, said or not, denies.
func (c *call) climb(ctx context.Context, q question, n note, outcome grapnel.Outcome, failure error) (*http.Response, grapnel.Outcome, error) {
	x := q.x
	failed := x.Calls[len(x.Calls)-1:]
	for _, r := range c.ladder {
		switch r.Kind {
		case grapnel.StepPlugin:
			if ctx.Err() != nil {
				continue // there is no time left
			}
			from := len(x.Calls) - len(failed)
			resp, asked, err := r.server.ask(ctx, q)
			failed = x.Calls[from:]
			if !down(asked) {
				c.settle(x, failed, grapnel.OutcomeBackup, failure)
				return resp, asked, err
			}
			outcome, failure = asked, fmt.Errorf("%w; plugin %q: %w", failure, r.Plugin, err)
		case grapnel.StepCached:
			if s := n.recall(time.Duration(r.MaxAge)); s != nil {
				x.Session = s
				c.settle(x, failed, grapnel.OutcomeCached, failure)
				return nil, grapnel.OutcomeCached, nil
			}
		case grapnel.StepIgnore:
			if c.first.hook.Stage == grapnel.Auth {
				if !c.open {
					return nil, outcome, c.denied(x, failure, 0)
				}
				if x.Session = q.caller; x.Session == nil {
					x.Session = &grapnel.Session{OrgID: x.API.OrgID} // nobody
				}
			}
			c.settle(x, failed, grapnel.OutcomeIgnored, failure)
			return nil, grapnel.OutcomeIgnored, nil
		case grapnel.StepDeny:
			return nil, outcome, c.denied(x, failure, r.Status)
		}
	}
	return nil, outcome, c.denied(x, failure, 0)
}

// settle records of the calls that failed what came of it. The exchange goes on,
// so nobody else will tell why they did.
func (c *call) settle(x *grapnel.Exchange, failed []grapnel.Call, o grapnel.Outcome, failure error) {
	for i := range failed {
		if failed[i].Failed {
			failed[i].Outcome = o
		}
	}
	if _, busy := errors.AsType[overloaded](failure); busy {
		c.refusals.add(x, failure)
		return
	}
	x.Log.Warn("plugin failed", "request_id", x.ID, "stage", failed[0].Stage, "plugin", failed[0].Plugin, "hook", failed[0].Hook, "outcome", o, "error", failure)
}

// denied is the answer to a plugin that is down, hangs or lies:
// nothing goes on without its word. Without a status that the hook chose, a server
// that has too much to do already asks for patience.
func (c *call) denied(x *grapnel.Exchange, err error, status int) *grapnel.Error {
	h := &c.first.hook
	e := &grapnel.Error{
		Status: http.StatusInternalServerError, Code: grapnel.CodePluginFailed, Message: "Middleware error",
		Err: fmt.Errorf("%s hook %q of plugin %q: %w", h.Stage, h.Name, h.Plugin, err),
	}
	if h.Stage == grapnel.Auth {
		e.Status, e.Message = http.StatusForbidden, "Key not authorised"
	}
	after := time.Second
	if busy, ok := errors.AsType[overloaded](err); ok {
		c.refusals.add(x, err)
		e.Told, after = true, max(after, busy.RetryAfter())
		if status == 0 {
			status = http.StatusServiceUnavailable
		}
	}
	if status != 0 {
		e.Status = status
	}
	if e.Status == http.StatusServiceUnavailable {
		e.Message = "Service temporarily unavailable."
		e.Header = http.Header{"Retry-After": {strconv.Itoa(int((after + time.Second - 1) / time.Second))}}
	}
	return e
}

// overloaded is the failure of a call that was not made because too many are under
// way, or because the server fails all of them.
type overloaded interface {
	error
	RetryAfter() time.Duration
}
