package tyk

import "github.com/grapnel-gateway/grapnel"

const driverGRPC = "grpc" // exactly so [5.1]

// hooks translates the four lists of hooks.
func (t *translation) hooks() grapnel.Hooks {
	m := t.d.CustomMiddleware
	h := grapnel.Hooks{
		Pre:         t.list(m.Pre, grapnel.Pre),
		PostKeyAuth: t.list(m.PostKeyAuth, grapnel.PostKeyAuth),
		Post:        t.list(m.Post, grapnel.Post),
		Response:    t.list(m.Response, grapnel.Response),
	}
	if t.d.UseKeyless && len(h.PostKeyAuth) > 0 {
		t.warn("custom_middleware.post_key_auth", "does not run: the API is keyless [M-2]")
		h.PostKeyAuth = nil
	}
	return h
}

// list leaves out what is disabled [D-4].
func (t *translation) list(hooks []hook, stage grapnel.Stage) []grapnel.Hook {
	var out []grapnel.Hook
	for _, h := range hooks {
		if !h.Disabled {
			out = append(out, grapnel.Hook{
				Plugin: t.plugin, Name: h.Name, Timeout: grapnel.Inherit, RawBodyOnly: h.RawBodyOnly, Stage: stage,
			})
		}
	}
	return out
}
