package tyk

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// events translates the handlers of the events that this gateway fires [11].
func (t *translation) events() map[grapnel.EventType][]grapnel.EventHandler {
	out := map[grapnel.EventType][]grapnel.EventHandler{}
	for _, name := range slices.Sorted(maps.Keys(t.d.EventHandlers.Events)) {
		handlers := t.d.EventHandlers.Events[name]
		event := grapnel.EventType(name)
		at := "event_handlers.events." + name
		if !slices.Contains(grapnel.EventTypes(), event) {
			if len(handlers) > 0 {
				t.warn(at, "has no effect: this version does not fire the event")
			}
			continue
		}
		for i, h := range handlers {
			if handler, ok := t.event(fmt.Sprintf("%s[%d]", at, i), h); ok {
				out[event] = append(out[event], handler)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// event translates one handler. One that cannot be told is left out, as in the
// original [E-2].
func (t *translation) event(at string, h eventHandler) (grapnel.EventHandler, bool) {
	switch {
	case h.Name == "eh_log_handler":
		return grapnel.EventHandler{Name: h.Meta.Prefix}, true
	case h.Name == "eh_web_hook_handler":
		hook, ok := t.webhook(at+".handler_meta", h.Meta)
		return grapnel.EventHandler{Webhook: hook}, ok
	case h.Name != "cp_dynamic_handler":
		t.warn(at, "has no effect: the handler %q is not supported; cp_dynamic_handler, eh_web_hook_handler and eh_log_handler are", h.Name)
	case t.d.CustomMiddleware.Driver != driverGRPC || t.asks == "":
		t.warn(at, "has no effect: the handler needs the driver \"grpc\" and a coprocess_grpc_server [E-2]")
	case h.Meta.Name == "":
		t.warn(at, "has no effect: handler_meta.name is empty")
	default:
		return grapnel.EventHandler{Plugin: t.asks, Name: h.Meta.Name}, true
	}
	return grapnel.EventHandler{}, false
}

// webhook translates a handler that calls a URL. One that cannot be called, or
// is disabled, is left out.
func (t *translation) webhook(at string, m eventMeta) (*grapnel.Webhook, bool) {
	if m.Disabled {
		return nil, false
	}
	u, err := url.Parse(m.TargetPath)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		t.warn(at+".target_path", "has no effect: %q is not an absolute URL", m.TargetPath)
		return nil, false
	}
	w := &grapnel.Webhook{}
	w.SetDefaults()
	w.URL = &grapnel.URL{URL: *u}
	w.Quiet = seconds(float64(m.Timeout))
	w.Headers = map[string]string{"User-Agent": "Tyk-Hookshot"} // [11.2]
	for name, value := range m.Headers {
		w.Headers[http.CanonicalHeaderKey(name)] = value
	}
	switch method := strings.ToUpper(m.Method); method {
	case "GET", "POST", "PUT", "PATCH", "DELETE":
		w.Method = method
	case "":
	default:
		t.warn(at+".method", "%q is not one of GET, POST, PUT, PATCH and DELETE: POST is used", m.Method)
	}
	if m.TemplatePath != "" {
		file, ok := t.locate(m.TemplatePath)
		if !ok {
			t.warn(at+".template_path", "there is no file %s: the built-in body is used", file)
		} else {
			w.Template = file
		}
	}
	return w, true
}
