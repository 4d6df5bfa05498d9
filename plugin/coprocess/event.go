package coprocess

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A notice is the payload of an event [E-3].
type notice struct {
	Message struct {
		Type      grapnel.EventType
		Meta      map[string]string
		TimeStamp string
	} `json:"message"`
	HandlerName string                        `json:"handler_name"`
	Spec        struct{ APIID, OrgID string } `json:"spec"`
}

// eventTime is how Go prints a time.
const eventTime = "2006-01-02 15:04:05.999999999 -0700 MST"

// Notify tells the server of an event, by the name of the handler [E-3, E-4,
// E-9]. Like every call, it lasts as long as the context lets it.
func (c *Client) Notify(ctx context.Context, handler string, e grapnel.Event) error {
	n := notice{HandlerName: handler}
	n.Spec.APIID, n.Spec.OrgID = e.API.ID, e.API.OrgID
	n.Message.Type = e.Type
	n.Message.TimeStamp = e.Time.Local().Format(eventTime)
	n.Message.Meta = map[string]string{
		"Message":            e.Message,
		"OriginatingRequest": base64.StdEncoding.EncodeToString(e.Request),
		"Path":               e.Path,
		"Origin":             e.Origin,
		"Key":                e.Key,
	}
	switch e.Type {
	case grapnel.EventVersionFailure:
		n.Message.Meta["Reason"] = e.Reason
	case grapnel.EventTokenCreated, grapnel.EventTokenUpdated, grapnel.EventTokenDeleted:
		n.Message.Meta["Org"] = e.API.OrgID
	}
	payload, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("event %s: %w", e.Type, err)
	}
	m := c.buffers.message()
	m.bytes(eventPayload, payload)
	reply, err := c.invoke(ctx, &rpc.Call{Method: dispatchEventMethod}, &m)
	if err != nil {
		return err
	}
	defer reply.release()
	f := fields{rest: reply.bytes()}
	for f.next() { // it says nothing
	}
	return f.err
}
