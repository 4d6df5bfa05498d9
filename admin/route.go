package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// What a call may send, in bytes. Definitions can be large; sessions and
// policies are not.
const (
	maxBody       = 1 << 20
	maxDefinition = 10 << 20
)

// A route is one call of the control API. A segment of the path in braces
// stands for any text.
type route struct {
	method, path string
	answer       answer
}

// An answer does what a call asks for and returns the reply's JSON. An error is
// a refusal, or what went wrong on the way.
type answer func(*http.Request) (any, error)

// table lists every call. Of two paths that fit, the first counts.
func table(o Options) []route {
	gateway, key, org, api := gatewayCalls{o}, keyCalls{o}, orgCalls{o}, apiCalls{o}
	policy, plugin, oauth, certificate := policyCalls{o}, pluginCalls{o}, oauthCalls{o}, certificateCalls{o}
	return []route{
		{"GET", "/reload", gateway.reload},
		{"GET", "/reload/group", gateway.reloadGroup},
		{"GET", "/health", gateway.health},
		{"DELETE", "/cache/{api}", gateway.dropCache},
		{"GET", "/openapi.yaml", gateway.openAPI},

		{"POST", "/keys/create", key.create},
		{"POST", "/keys/preview", key.preview},
		{"POST", "/keys/policy/{hash}", key.setPolicies},
		{"GET", "/keys", key.list},
		{"POST", "/keys", key.add},
		{"GET", "/keys/{key}", key.get},
		{"POST", "/keys/{key}", key.add},
		{"PUT", "/keys/{key}", key.update},
		{"DELETE", "/keys/{key}", key.remove},

		{"GET", "/org/keys", org.list},
		{"GET", "/org/keys/{org}", org.get},
		{"POST", "/org/keys/{org}", org.put("added")},
		{"PUT", "/org/keys/{org}", org.put("modified")},
		{"DELETE", "/org/keys/{org}", org.remove},

		{"GET", "/apis", api.list},
		{"POST", "/apis", api.add},
		{"PUT", "/apis", noAPI("Must specify an apiID to update")},
		{"DELETE", "/apis", noAPI("Must specify an apiID to delete")},
		{"GET", "/apis/{api}", api.get},
		{"PUT", "/apis/{api}", api.update},
		{"DELETE", "/apis/{api}", api.remove},

		{"GET", "/policies", policy.list},
		{"POST", "/policies", policy.add},
		{"GET", "/policies/{policy}", policy.get},
		{"PUT", "/policies/{policy}", policy.update},
		{"DELETE", "/policies/{policy}", policy.remove},

		{"POST", "/oauth/clients/create", oauth.create},
		{"GET", "/oauth/clients/{api}", oauth.list},
		{"GET", "/oauth/clients/{api}/{client}", oauth.get},
		{"PUT", "/oauth/clients/{api}/{client}", oauth.update},
		{"DELETE", "/oauth/clients/{api}/{client}", oauth.remove},
		{"PUT", "/oauth/clients/{api}/{client}/rotate", oauth.rotate},
		{"GET", "/oauth/clients/{api}/{client}/tokens", oauth.tokens},
		{"DELETE", "/oauth/refresh/{token}", oauth.removeRefresh},
		{"POST", "/oauth/revoke", oauth.revoke},
		{"POST", "/oauth/revoke_all", oauth.revokeAll},
		{"DELETE", "/oauth/tokens", oauth.removeLapsed},

		{"GET", "/certs", certificate.list},
		{"POST", "/certs", certificate.add},
		{"GET", "/certs/{certificate}", certificate.get},
		{"DELETE", "/certs/{certificate}", certificate.remove},

		{"GET", "/grapnel/plugins", plugin.list},
	}
}

// dispatch finds the call and answers it.
func (c *control) dispatch(w http.ResponseWriter, r *http.Request) {
	var methods []string
	path := ""
	for _, route := range c.routes {
		if path != "" && route.path != path || !fits(r, route.path) {
			continue
		}
		path = route.path
		if route.method == r.Method {
			r.Body = http.MaxBytesReader(w, r.Body, limitOf(path))
			c.answer(w, r, route)
			return
		}
		methods = append(methods, route.method)
	}
	if path == "" {
		reply(w, http.StatusNotFound, "error", "Not Found")
		return
	}
	slices.Sort(methods)
	w.Header().Set("Allow", strings.Join(methods, ", "))
	reply(w, http.StatusMethodNotAllowed, "error", "Method not supported")
}

func limitOf(path string) int64 {
	if strings.HasPrefix(path, "/apis") {
		return maxDefinition
	}
	return maxBody
}

// fits compares the request's path with a route's, and keeps what stands for
// the names in braces. Every path may end with a slash. Segments are
// decoded one by one: a key may hold a slash.
func fits(r *http.Request, path string) bool {
	want := strings.Split(path, "/")
	got := strings.Split(strings.TrimSuffix(r.URL.EscapedPath(), "/"), "/")
	if len(got) != len(want) {
		return false
	}
	for i, segment := range want {
		text, err := url.PathUnescape(got[i])
		if err != nil {
			return false
		}
		if name, ok := strings.CutPrefix(segment, "{"); ok && text != "" {
			r.SetPathValue(strings.TrimSuffix(name, "}"), text)
		} else if text != segment {
			return false
		}
	}
	return true
}
