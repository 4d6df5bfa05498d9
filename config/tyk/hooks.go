package tyk

import (
	"fmt"

	"github.com/grapnel-gateway/grapnel"
)

const driverGRPC = "grpc" // exactly so [5.1]

// hooks translates the four lists of hooks.
func (t *translation) hooks() grapnel.Hooks {
	m := t.d.CustomMiddleware
	h := grapnel.Hooks{
		Pre:         t.list("pre", m.Pre, grapnel.Pre),
		PostKeyAuth: t.list("post_key_auth", m.PostKeyAuth, grapnel.PostKeyAuth),
		Post:        t.list("post", m.Post, grapnel.Post),
		Response:    t.list("response", m.Response, grapnel.Response),
	}
	if t.d.UseKeyless && len(h.PostKeyAuth) > 0 {
		t.warn("custom_middleware.post_key_auth", "does not run: the API is keyless [M-2]")
		h.PostKeyAuth = nil
	}
	return h
}

// list leaves out what is disabled [D-4].
func (t *translation) list(key string, hooks []hook, stage grapnel.Stage) []grapnel.Hook {
	var out []grapnel.Hook
	for i, h := range hooks {
		if !h.Disabled {
			out = append(out, extensions{t}.hook(fmt.Sprintf("custom_middleware.%s[%d]", key, i), h, stage))
		}
	}
	return out
}
