package config

import (
	"maps"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/net/http/httpguts"

	"github.com/grapnel-gateway/grapnel"
)

// claims are what only one API can have: its ID, and its listen path on a
// host.
type claims struct {
	ids    map[string]int    // to the index of the API
	places map[string]string // host and path, to the ID of the API
}

// check reports an API without a place of its own.
func (c claims) check(a *grapnel.API, i int, at string, r *report) {
	if first, taken := c.ids[a.ID]; a.ID == "" {
		r.add(child(at, "id"), "missing; it names the API to plugins and in logs")
	} else if taken {
		r.add(child(at, "id"), "%q is the id of apis[%d] already", a.ID, first)
	} else {
		c.ids[a.ID] = i
	}
	for j, h := range a.Hosts {
		if h == "" || strings.ContainsAny(h, " /") {
			r.add(item(child(at, "hosts"), j), "%q is not a host name; write it as shop.example or *.shop.example", h)
		}
	}
	path := child(at, "listen_path")
	switch {
	case a.ListenPath == "":
		r.add(path, "missing; write it as /orders/")
	case a.ListenPath[0] != '/':
		r.add(path, "%q does not begin with a slash", a.ListenPath)
	case strings.ContainsAny(a.ListenPath, " \t\r\n"):
		r.add(path, "%q contains a space", a.ListenPath)
	default:
		c.claim(a, path, r)
	}
}

// claim takes the API's listen path on each of its hosts. A slash at the end
// makes no other path of it, except where prefixes may end within a segment.
func (c claims) claim(a *grapnel.API, path string, r *report) {
	hosts := a.Hosts
	if len(hosts) == 0 {
		hosts = []string{"*"}
	}
	text := a.ListenPath
	if !a.Loose {
		text = strings.TrimRight(text, "/")
	}
	for _, h := range hosts {
		key := strings.ToLower(h) + " " + text
		if id, taken := c.places[key]; taken {
			r.add(path, "%q belongs to the API %q already", a.ListenPath, id)
			return
		}
		c.places[key] = a.ID
	}
}

func checkUpstream(a *grapnel.API, at string, r *report) {
	alone := len(a.Targets) == 1 && a.Targets[0] == a.Target // as fill leaves it
	switch {
	case len(a.Targets) == 0:
		r.add(child(at, "target"), "missing; give the API a target, or a list of targets")
	case a.Target != nil && !alone:
		r.add(child(at, "targets"), "stands beside target; give one of them")
	}
	if a.Target != nil {
		checkScheme(r, child(at, "target"), a.Target, "http", "https", "h2c", "ws", "wss", "tyk")
	}
	for i, t := range a.Targets {
		if !alone {
			checkScheme(r, item(child(at, "targets"), i), t, "http", "https", "h2c", "ws", "wss")
		}
	}
	checkUpstreamClient(a, child(at, "upstream_client"), r)
}

func checkUpstreamClient(a *grapnel.API, path string, r *report) {
	if a.Client != "" {
		oneOf(r, path, string(a.Client), string(grapnel.ClientDirect), string(grapnel.ClientStandard))
	}
	if a.Client == grapnel.ClientDirect && slices.ContainsFunc(a.Targets, func(t *grapnel.URL) bool { return t.Scheme == "h2c" }) {
		r.add(path, "is direct, which speaks HTTP/1.1 only, and a target has the scheme h2c")
	}
}

func checkScheme(r *report, path string, u *grapnel.URL, known ...string) {
	if !slices.Contains(known, u.Scheme) {
		r.add(path, "the scheme %q is not one of %s", u.Scheme, strings.Join(known, ", "))
	}
}

func checkPluginName(c *grapnel.Config, name, path string, r *report) {
	switch {
	case name == "":
		r.add(path, "missing; it names one of the plugins")
	case c.Plugins[name] == nil:
		r.add(path, "no plugin %q%s", name, suggest(name, slices.Sorted(maps.Keys(c.Plugins))))
	}
}

func checkEvents(c *grapnel.Config, a *grapnel.API, at string, r *report) {
	var known []string
	for _, t := range grapnel.EventTypes() {
		known = append(known, string(t))
	}
	for _, t := range slices.Sorted(maps.Keys(a.Events)) {
		path := child(child(at, "events"), string(t))
		if !slices.Contains(known, string(t)) {
			r.add(path, "unknown event; there are %s%s", strings.Join(known, ", "), suggest(string(t), known))
		}
		for i, h := range a.Events[t] {
			checkEventHandler(c, h, item(path, i), r)
		}
	}
}

func checkEventHandler(c *grapnel.Config, h grapnel.EventHandler, at string, r *report) {
	switch {
	case h.Webhook != nil && (h.Plugin != "" || h.Name != ""):
		r.add(at, "is a webhook and a handler at once; each entry of the list is one")
	case h.Webhook != nil:
		checkWebhook(h.Webhook, child(at, "webhook"), r)
	case h.Plugin != "":
		checkPluginName(c, h.Plugin, child(at, "plugin"), r)
		if h.Name == "" {
			r.add(child(at, "handler"), "missing; it says which handler of the plugin is told")
		}
	}
}

func checkWebhook(w *grapnel.Webhook, at string, r *report) {
	if w.URL == nil {
		r.add(child(at, "url"), "missing; write it as https://host/path")
	} else {
		checkScheme(r, child(at, "url"), w.URL, "http", "https")
	}
	oneOf(r, child(at, "method"), w.Method, "GET", "POST", "PUT", "PATCH", "DELETE")
	for _, name := range slices.Sorted(maps.Keys(w.Headers)) {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(w.Headers[name]) {
			r.add(child(child(at, "headers"), name), "is not a header that HTTP allows")
		}
	}
	if w.Template != "" {
		if _, err := template.ParseFiles(w.Template); err != nil {
			r.add(child(at, "template"), "%v", err)
		}
	}
	if w.Timeout <= 0 {
		r.add(child(at, "timeout"), "must be more than 0: tries are always bounded")
	}
	notNegative(r, child(at, "quiet"), w.Quiet)
}

func checkCORS(c *grapnel.CORS, at string, r *report) {
	if c == nil {
		return
	}
	if c.AllowCredentials && (len(c.AllowedOrigins) == 0 || slices.Contains(c.AllowedOrigins, "*")) {
		r.add(child(at, "allow_credentials"), "needs allowed_origins that are named: browsers refuse credentials for all origins")
	}
	if c.MaxAge < 0 {
		r.add(child(at, "max_age"), "must not be negative")
	}
}
