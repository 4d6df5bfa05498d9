package tyk

import (
	"fmt"
	"slices"
	"strings"
)

// refuseUnsafe refuses what cannot be served as safely as the definition asks
// [L-32]: callers who would not be checked, hooks that would not be asked,
// requests that would reach the upstream unguarded.
func (t *translation) refuseUnsafe() {
	t.refusePlugins()
	t.refuseMethods()
	t.refusePinning()
	d := t.d
	if d.Bundle != "" && !d.BundleDisabled {
		t.refuse("custom_middleware_bundle", "bundles are not supported in this version; write the hooks into the definition [D-7]")
	}
	if d.RequestSigning.Enabled {
		t.refuse("request_signing.is_enabled", "request signing is not supported")
	}
	if d.UpstreamAuth.Enabled {
		t.refuse("upstream_auth.enabled", "authentication to the upstream is not supported")
	}
	t.refusePort()
}

// refusePlugins refuses a definition whose hooks have nobody to ask. The
// original serves it without them.
func (t *translation) refusePlugins() {
	m := t.d.CustomMiddleware
	first := ""
	for _, list := range []struct {
		path  string
		hooks []hook
	}{
		{"custom_middleware.response", m.Response},
		{"custom_middleware.post", m.Post},
		{"custom_middleware.post_key_auth", m.PostKeyAuth},
		{"custom_middleware.pre", m.Pre},
	} {
		for i, h := range slices.Backward(list.hooks) {
			if !h.Disabled {
				first = fmt.Sprintf("%s[%d]", list.path, i)
			}
		}
	}
	for i, h := range m.Response {
		if !h.Disabled && strings.HasSuffix(h.Path, ".so") { // [D-2]
			t.refuse(fmt.Sprintf("custom_middleware.response[%d].path", i), "Go plugins are not supported")
		}
	}
	if t.d.custom() && !t.d.UseKeyless {
		first = "custom_plugin_auth_enabled"
		if !t.d.CustomPluginAuth {
			first = "enable_coprocess_auth"
		}
	}
	switch o := t.conf.CoProcessOptions; {
	case first == "" || t.asks != "" && m.Driver == driverGRPC:
	case m.Driver != driverGRPC:
		t.refuse("custom_middleware.driver", "%s needs a plugin, and the driver is %q; only \"grpc\" is supported, in lower case", first, m.Driver)
	case t.published:
		t.refuse(first, "it needs a plugin server: the one named %q, or the only one", PluginName)
	case !o.EnableCoProcess:
		t.refuse(first, "it needs a plugin, and coprocess_options.enable_coprocess is off in tyk.conf")
	case o.CoProcessGRPCServer == "":
		t.refuse(first, "it needs a plugin, and tyk.conf has no coprocess_options.coprocess_grpc_server")
	}
}

// refuseMethods refuses the ways to prove who is calling that this version does
// not have. Another method beside them does not make up for one [C-20].
func (t *translation) refuseMethods() {
	m := t.d.methods
	if m.UseKeyless {
		return
	}
	for _, method := range []struct {
		path string
		on   bool
		what string
	}{
		{"use_openid", m.OpenID, "OpenID Connect is"},
		{"use_go_plugin_auth", m.GoPluginAuth, "Go plugins are"},
	} {
		if method.on {
			t.refuse(method.path, "%s not supported", method.what)
		}
	}
}

func (t *translation) refusePinning() {
	d := t.d
	if len(d.PinnedKeys) > 0 && !d.PinnedKeysOff {
		t.refuse("pinned_public_keys", "pinned keys are not supported")
	}
}

// refusePort refuses an API with a listener of its own: on the main one it
// would be found where it was not meant to be [P-6].
func (t *translation) refusePort() {
	main := orDefault(t.conf.ListenPort, defaultPort)
	if p := t.d.ListenPort; p != 0 && p != main {
		t.refuse("listen_port", "listeners for single APIs are not supported; the main one is on port %d", main)
	}
	switch t.d.Protocol {
	case "", "http", "h2c":
	case "https":
		if !t.conf.HTTPServerOptions.UseSSL {
			t.refuse("protocol", "it is https, and the listener does not speak TLS (http_server_options.use_ssl)")
		}
	default:
		t.refuse("protocol", "%q is not supported", t.d.Protocol)
	}
}
