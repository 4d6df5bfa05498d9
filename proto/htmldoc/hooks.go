package main

// A hook is one of the five points at which a plugin is asked.
type hook struct {
	Value   string // of HookType
	Key     string // in the native configuration
	When    string
	For     string
	Changes string
	Failure string // what the client gets when the hook fails
}

// hooks lists them in the order in which a request meets them.
func hooks() []hook {
	const middleware = "500 Middleware error"
	return []hook{
		{
			Value: "Pre", Key: "pre",
			When:    "First, on every API. The caller is not known.",
			For:     "Normalise, tag or refuse requests before anyone is known.",
			Changes: "The request, or the answer.", Failure: middleware,
		},
		{
			Value: "CustomKeyCheck", Key: "auth",
			When:    "As authentication, where the API asks a plugin for it; also when the client sent no credential.",
			For:     "Say who is calling, or turn them away.",
			Changes: "The session and its metadata; the request, or the answer.", Failure: "403 Key not authorised",
		},
		{
			Value: "PostKeyAuth", Key: "post_key_auth",
			When:    "Right after authentication, on APIs that have one; before access rights, rate and quota are checked.",
			For:     "Act on who is calling.",
			Changes: "The request, or the answer.", Failure: middleware,
		},
		{
			Value: "Post", Key: "post",
			When:    "Last before the upstream, on every API. Header rules, rewrites and method changes have been applied.",
			For:     "Sign, translate or reroute what goes upstream.",
			Changes: "The request, or the answer.", Failure: middleware,
		},
		{
			Value: "Response", Key: "response",
			When:    "After the upstream has answered, whatever its status; not on replies that the gateway or a hook made.",
			For:     "Redact, enrich or translate the reply.",
			Changes: "The reply.", Failure: middleware,
		},
	}
}

// A mark says what a field is in one hook.
type mark struct {
	Letter rune
	Label  string // in a cell
	Means  string // in the legend
}

// marks lists what may stand in a cell.
func marks() []mark {
	return []mark{
		{'w', "change", "sent; what you return counts"},
		{'s', "set", "sent empty, or not at all; what you return counts"},
		{'r', "read", "sent; what you return is ignored"},
		{'k', "if known", "sent when the caller is known; what you return is ignored"},
		{'m', "at times", "sent where its description says so; what you return counts"},
		{'o', "on request", "sent where its description says so; what you return is ignored"},
		{'e', "empty", "sent empty; what you return is ignored"},
		{'-', "–", "not sent; what you return is ignored"},
	}
}

// A cell is a field in one hook.
type cell struct {
	Hook string
	mark
}

// Cells are the rule's letters with what they mean, hook by hook.
func (r rule) Cells() []cell {
	var out []cell
	for i, h := range hooks() {
		for _, m := range marks() {
			if rune(r.Hooks[i]) == m.Letter {
				out = append(out, cell{h.Value, m})
			}
		}
	}
	return out
}

// names lists the hooks by the values of HookType.
func names() []string {
	var out []string
	for _, h := range hooks() {
		out = append(out, h.Value)
	}
	return out
}
