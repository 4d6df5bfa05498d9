package coprocess

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A binding is one hook of one API: a [grapnel.Binding]. What is the same in all
// of its messages is encoded once.
type binding struct {
	client  *Client
	stage   grapnel.Stage
	name    string
	rawOnly bool // messages leave out the text copy of bodies
	org     string
	facts   []grapnel.Fact // that the plugin is told on request
	keeps   bool           // changes of the session's metadata count [L-21]
	scope
	may     permit
	answers bool      // it may answer in the upstream's place
	unheard sync.Once // tells the log of the first answer that is ignored

	call rpc.Call // what is the same in all calls

	head      []byte // hook_type and hook_name
	overrides []byte // return_overrides
	nobody    []byte // the session of a reply to no one [B-22]
	spec      []byte
}

// Bind prepares one hook of one API [B-1, B-17, B-18]. What is left of the hook's
// on_error are the retries that come first. It fails when the API's
// config_data has no JSON form.
func (c *Client) Bind(api *grapnel.API, h grapnel.Hook) (grapnel.Binding, error) {
	kind, ok := hookType(h.Stage)
	if !ok {
		return nil, fmt.Errorf("a hook of stage %s cannot be called", h.Stage)
	}
	bundle := md5.Sum([]byte(api.Bundle))
	facts := map[string]string{
		"OrgID":       api.OrgID,
		"APIID":       api.ID,
		"bundle_hash": hex.EncodeToString(bundle[:]),
	}
	if len(api.ConfigData) > 0 {
		data, err := json.Marshal(api.ConfigData)
		if err != nil {
			return nil, fmt.Errorf("config_data: %w", err)
		}
		facts["config_data"] = string(data)
	}
	b := &binding{
		client: c, stage: h.Stage, name: h.Name, rawOnly: h.RawBodyOnly, org: api.OrgID, facts: h.Facts, keeps: h.WriteBack,
		scope: scope{h.Send}, may: permit{h.May}, answers: mayAnswer(h),
		call: rpc.Call{Method: dispatchMethod, Retries: len(h.OnError), Idempotent: h.Idempotent, Fair: longest(api, h) / 8},
		head: head(kind, h.Name), overrides: noOverrides(), nobody: encodeSession(&grapnel.Session{}, c.tyk), spec: spec(facts),
	}
	if h.Stream {
		return newStreamed(b, h)
	}
	return b, nil
}

// longest is how long a hook may take if nobody was asked before it; 0 is for ever.
func longest(api *grapnel.API, h grapnel.Hook) time.Duration {
	own, all := max(time.Duration(h.Timeout), 0), max(time.Duration(api.PluginsBudget), 0)
	if own == 0 || all == 0 {
		return max(own, all)
	}
	return min(own, all)
}

func hookType(s grapnel.Stage) (uint64, bool) {
	switch s {
	case grapnel.Pre:
		return hookPre, true
	case grapnel.Auth:
		return hookCustomKeyCheck, true
	case grapnel.PostKeyAuth:
		return hookPostKeyAuth, true
	case grapnel.Post:
		return hookPost, true
	case grapnel.Response:
		return hookResponse, true
	}
	return 0, false
}

// Request asks about a request and applies the answer. A non-nil response
// answers the client; a [grapnel.Error] refuses it [A-21, C-4]; any other
// error is a failed plugin. On error, and when the plugin answers, the exchange
// is as it was.
func (b *binding) Request(ctx context.Context, x *grapnel.Exchange) (*http.Response, error) {
	body, err := b.ofRequest(x)
	if err != nil {
		return nil, err
	}
	q := b.question(x, body)
	data, err := q.ask(ctx, b, x)
	if err != nil {
		return nil, err
	}
	defer data.release()
	a, err := b.read(q, data)
	if err != nil {
		return nil, err
	}
	return b.applyRequest(x, q, &a)
}

// Response asks about a reply and applies the answer. A non-nil response answers
// the client in its place, and so does a [grapnel.Error], where the hook may do
// that; they leave the reply as it was. Every other error is a failed
// plugin, but for a body that is over its limit; the response is then as it was,
// and buffered if it could be read. What the hook is sent of the request's body
// must have been read before it went upstream [B-29].
func (b *binding) Response(ctx context.Context, x *grapnel.Exchange, resp *http.Response) (*http.Response, error) {
	body, err := b.ofRequest(x)
	if err != nil {
		return nil, err
	}
	reply, err := b.ofReply(x, resp)
	if err != nil {
		return nil, err
	}
	q := b.question(x, body)
	b.describe(q, resp, reply)
	data, err := q.ask(ctx, b, x)
	if err != nil {
		return nil, err
	}
	defer data.release()
	a, err := b.read(q, data)
	if err != nil {
		return nil, err
	}
	if b.answers {
		if instead, err := b.override(&a); instead != nil || err != nil {
			return instead, err
		}
	} else if a.request.overrides.code > 0 {
		b.unheard.Do(func() {
			x.Log.Warn("a Response hook answers in the reply's place, and may not: its answers are ignored (may_override)", "request_id", x.ID, "hook", b.name)
		})
	}
	return nil, b.applyResponse(x, resp, q, &a)
}

// ask sends the question, and notes in the record of the call where it went.
func (q *question) ask(ctx context.Context, b *binding, x *grapnel.Exchange) (*received, error) {
	q.call = b.call
	q.call.Key = b.client.key(x)
	data, err := b.client.invoke(ctx, &q.call, &q.message)
	if n := len(x.Calls); n > 0 {
		x.Calls[n-1].Endpoint, x.Calls[n-1].Retries = q.call.Endpoint, max(q.call.Sent-1, 0)
	}
	return data, err
}
