package coprocess

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A binding is one hook of one API: a [grapnel.Binding]. What is the same in all
// of its messages is made once and shared between them.
type binding struct {
	client  *Client
	stage   grapnel.Stage
	kind    wire.HookType
	name    string
	rawOnly bool // messages leave out the text copy of bodies
	org     string

	spec      map[string]string
	overrides *wire.ReturnOverrides // those of every request: none [B-16]
	nobody    *wire.SessionState    // the session of a reply to no one [B-22]
}

// Bind prepares one hook of one API [B-1, B-17, B-18]. It fails when the API's
// config_data has no JSON form.
func (c *Client) Bind(api *grapnel.API, h grapnel.Hook) (grapnel.Binding, error) {
	kind, ok := hookType(h.Stage)
	if !ok {
		return nil, fmt.Errorf("a hook of stage %s cannot be called", h.Stage)
	}
	bundle := md5.Sum([]byte(api.Bundle))
	spec := map[string]string{
		"OrgID":       text(api.OrgID),
		"APIID":       text(api.ID),
		"bundle_hash": hex.EncodeToString(bundle[:]),
	}
	if len(api.ConfigData) > 0 {
		data, err := json.Marshal(api.ConfigData)
		if err != nil {
			return nil, fmt.Errorf("config_data: %w", err)
		}
		spec["config_data"] = string(data)
	}
	return &binding{
		client: c, stage: h.Stage, kind: kind, name: text(h.Name), rawOnly: h.RawBodyOnly, org: api.OrgID,
		spec:      spec,
		overrides: &wire.ReturnOverrides{ResponseCode: -1},
		nobody:    sessionState(&grapnel.Session{}, c.tyk),
	}, nil
}

func hookType(s grapnel.Stage) (wire.HookType, bool) {
	switch s {
	case grapnel.Pre:
		return wire.HookType_Pre, true
	case grapnel.Auth:
		return wire.HookType_CustomKeyCheck, true
	case grapnel.PostKeyAuth:
		return wire.HookType_PostKeyAuth, true
	case grapnel.Post:
		return wire.HookType_Post, true
	case grapnel.Response:
		return wire.HookType_Response, true
	}
	return wire.HookType_Unknown, false
}

// Request asks about a request and applies the answer. A non-nil response
// answers the client; a [grapnel.Error] refuses it [A-21, C-4]; any other
// error is a failed plugin. On error, and when the plugin answers, the exchange
// is as it was.
func (b *binding) Request(ctx context.Context, x *grapnel.Exchange) (*http.Response, error) {
	body, err := x.Body()
	if err != nil {
		return nil, fmt.Errorf("reading the request's body: %w", err)
	}
	sent := b.object(x, body)
	got, err := b.client.dispatch(ctx, sent)
	if err != nil {
		return nil, err
	}
	return b.applyRequest(x, sent, got)
}

// Response asks about a reply and applies the answer. Every error is a failed
// plugin, but for a reply that is over the API's size limit; the response is
// then as it was, and buffered if it could be read. The request's body must
// have been buffered before it went upstream [B-29].
func (b *binding) Response(ctx context.Context, x *grapnel.Exchange, resp *http.Response) error {
	body, err := x.Body()
	if err != nil {
		return fmt.Errorf("reading the request's body: %w", err)
	}
	var reply []byte
	if hasBody(x.Request.Method, resp.StatusCode) {
		if reply, err = grapnel.ReadBody(resp, int64(x.API.MaxBody)); err != nil {
			return fmt.Errorf("reading the reply's body: %w", err)
		}
	}
	sent := b.object(x, body)
	sent.Response = b.responseObject(resp, reply)
	got, err := b.client.dispatch(ctx, sent)
	if err != nil {
		return err
	}
	return b.applyResponse(x, resp, sent.Response, got.GetResponse())
}
