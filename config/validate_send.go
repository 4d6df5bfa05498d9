package config

import (
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/grapnel-gateway/grapnel"
)

// checkSend reports what a hook cannot be sent, and what it needs and is not.
func checkSend(p place, r *report) {
	s, at := &p.hook.Send, child(p.path, "send")
	if s.BodyOver != "" {
		oneOf(r, child(at, "body_over"), string(s.BodyOver), "reject", "truncate", "skip")
		if s.Body <= 0 {
			r.add(child(at, "body_over"), "has no effect unless body is a size")
		}
	}
	if s.Session != "" {
		oneOf(r, child(at, "session"), string(s.Session), "full", "redacted", "metadata", "none")
	}
	switch {
	case s.DecodeBody && s.Body == grapnel.BodyNone:
		r.add(child(at, "decode_body"), "has no effect: the body is not sent")
	case s.DecodeBody && s.BodyOver == grapnel.OverTruncate:
		r.add(child(at, "decode_body"), "the beginning of an encoded body cannot be decoded; let body_over be reject or skip")
	}
	if s.Headers != nil && s.HideHeaders != nil {
		r.add(child(at, "hide_headers"), "stands beside headers; what is not in there is not sent")
	}
	checkNames(s.Headers, child(at, "headers"), r)
	checkNames(s.HideHeaders, child(at, "hide_headers"), r)
	if s.Body == grapnel.BodyNone && slices.Contains(p.hook.Facts, grapnel.FactForm) {
		r.add(child(at, "body"), "facts asks for the form, which is read from the body")
	}
	if s.Session == grapnel.SessionNone && p.hook.WriteBack {
		r.add(child(at, "session"), "write_back keeps changes of the metadata, which are then not sent")
	}
}

// checkNames reports what is neither the name of a header nor the beginning of one.
func checkNames(names []string, at string, r *report) {
	for i, name := range names {
		if name != "*" && !httpguts.ValidHeaderFieldName(strings.TrimSuffix(name, "*")) || strings.Contains(strings.TrimSuffix(name, "*"), "*") {
			r.add(item(at, i), "%q is neither the name of a header nor the beginning of one; write it as X-Name or X-*", name)
		}
	}
}

// checkMay reports permissions that are none at the hook's stage.
func checkMay(p place, r *report) {
	m, at := p.hook.May, child(p.path, "may")
	if m == nil {
		return
	}
	checkNames(m.SetHeaders, child(at, "set_headers"), r)
	checkNames(m.DeleteHeaders, child(at, "delete_headers"), r)
	reply := p.stage == grapnel.Response
	for _, part := range []struct {
		key       string
		given, ok bool
	}{
		{"params", m.Params, !reply},
		{"url", m.URL, !reply},
		{"method", m.Method, !reply},
		{"status", m.Status, reply},
		{"session", m.Session, p.hook.WriteBack},
	} {
		switch {
		case !part.given || part.ok:
		case part.key == "session":
			r.add(child(at, part.key), "has no effect without write_back")
		default:
			r.add(child(at, part.key), "has no effect in %s hooks", p.stage)
		}
	}
}

// checkReplies reports settings of Response hooks, and of streams, in others.
func checkReplies(p place, r *report) {
	h := p.hook
	for i, o := range h.On {
		oneOf(r, item(child(p.path, "on"), i), string(o), string(grapnel.FromUpstream), string(grapnel.FromGateway))
	}
	if p.stage != grapnel.Response {
		if len(h.On) > 0 {
			r.add(child(p.path, "on"), "is for response hooks")
		}
		if h.MayOverride {
			r.add(child(p.path, "may_override"), "is for response hooks; others may answer by themselves")
		}
	}
	switch {
	case !h.Stream:
	case p.stage != grapnel.Post && p.stage != grapnel.Response:
		r.add(child(p.path, "stream"), "is for post and response hooks")
	case h.Send.Body != grapnel.BodyFull || h.Send.DecodeBody:
		r.add(child(p.path, "stream"), "passes the body as it is, in pieces; send.body and send.decode_body are for hooks that are sent it whole")
	case h.May != nil && !h.May.Body:
		r.add(child(child(p.path, "may"), "body"), "a body that passes through the plugin can be changed; allow it")
	case slices.Contains(h.Facts, grapnel.FactForm):
		r.add(child(p.path, "stream"), "facts asks for the form, which is read from a body as a whole")
	}
}
