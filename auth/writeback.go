package auth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// WriteBack makes the middleware that stores what hooks have changed of the
// metadata of stored sessions, where they may [L-21]. What a policy put there is
// not stored, nor is the token, and the mark that the session belongs to an
// issuer's tokens stays: without it the session's key, which is no secret, would
// let its owner in. A reply does not fail because of it: what cannot be stored is
// told in the log. What others change of the session at the same time stays, on
// whatever gateway, and so does its deletion; of two that change one entry the
// later one's change stays. WriteBack returns nil when no hook may.
func WriteBack(api *grapnel.API, keys grapnel.Keys) grapnel.Middleware {
	keeps := func(h grapnel.Hook) bool { return h.WriteBack }
	hooks := api.Hooks
	if !slices.ContainsFunc(slices.Concat(hooks.PostKeyAuth, hooks.Post, hooks.Response), keeps) {
		return nil
	}
	w := writeBack{keys}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			before := x.Session
			resp, err := next(x)
			if before != nil && before.StoreID != "" && x.Session != nil {
				if err := w.store(x, before.Metadata); err != nil {
					x.Log.Error("a hook's change of the metadata could not be stored", "id", x.ID, "api", api.ID, "error", err)
				}
			}
			return resp, err
		}
	}
}

// storeFor bounds the storing of a change, which the client may not wait for.
const storeFor = 10 * time.Second

type writeBack struct{ keys grapnel.Keys }

// store makes the changes since before on the stored session. The client may have
// left by now: the change counts all the same.
func (w writeBack) store(x *grapnel.Exchange, before map[string]any) error {
	after := x.Session.Metadata
	var changed []string
	for key, value := range after {
		if was, had := before[key]; !had || !grapnel.SameValue(was, value) {
			changed = append(changed, key)
		}
	}
	for key := range before {
		if _, has := after[key]; !has {
			changed = append(changed, key)
		}
	}
	changed = slices.DeleteFunc(changed, func(key string) bool { return key == identityMark })
	if len(changed) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.Request.Context()), storeFor)
	defer cancel()
	err := w.keys.Edit(ctx, x.Session.KeyID, func(s *grapnel.Session) {
		if s.Metadata == nil {
			s.Metadata = map[string]any{}
		}
		for _, key := range changed {
			if value, has := after[key]; has {
				s.Metadata[key] = value
			} else {
				delete(s.Metadata, key)
			}
		}
	})
	if errors.Is(err, grapnel.ErrNotFound) {
		return nil // deleted in the meantime, and not to come back
	}
	return err
}
