package config

import (
	"crypto/tls"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// validate reports what a filled configuration says that cannot be meant.
func validate(c *grapnel.Config, r *report) {
	checkListeners(&c.Server, r)
	checkTLS(c.TLS, r)
	checkBounds(&c.Server, r)
	oneOf(r, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	if c.Log.Format != "" {
		oneOf(r, "log.format", c.Log.Format, "text", "json")
	}
	checkObservation(&c.Server, r)
	checkStore(c.Store, r)
	checkKeys(&c.Keys, r)
	if c.PolicyPath != "" {
		if _, err := os.Stat(c.PolicyPath); err != nil {
			r.add("policies", "%v", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Plugins)) {
		checkPlugin(c.Plugins[name], child("plugins", name), r)
		checkVersions(c, c.Plugins[name], child("plugins", name), r)
	}
	if len(c.APIs) == 0 && c.Compat != grapnel.CompatTyk { // app_path may be filled later
		r.add("apis", "missing; a gateway needs at least one API")
	}
	seen := claims{ids: map[string]int{}, places: map[string]string{}}
	for i, a := range c.APIs {
		at := item("apis", i)
		seen.check(a, i, at, r)
		checkUpstream(a, at, r)
		checkUpstreamTLS(c.TLS, a, at, r)
		checkGraphQL(a.GraphQL, child(at, "graphql"), r)
		checkHooks(c, a, at, r)
		checkAuth(c, a, at, r)
		checkSessions(c, a, at, r)
		checkEvents(c, a, at, r)
		if c.Compat != grapnel.CompatTyk { // the original serves what browsers then refuse
			checkCORS(a.CORS, child(at, "cors"), r)
		}
		notNegative(r, child(at, "max_body"), a.MaxBody)
		notNegative(r, child(at, "upstream_timeout"), a.Upstream.Timeout)
	}
}

func checkListeners(s *grapnel.Server, r *report) {
	checkAddress(r, "listen", s.Listen)
	if h := s.Admin.Health; h != "" && h[0] != '/' {
		r.add("admin.health", "%q does not begin with a slash", h)
	}
	if s.Admin.Listen == "" {
		return
	}
	host, port, ok := checkAddress(r, "admin.listen", s.Admin.Listen)
	if !ok {
		return
	}
	if s.Admin.Listen == s.Listen && port != "0" {
		r.add("admin.listen", "is %s, as the main listener is; give it an address of its own, or \"\" for none", s.Listen)
	}
	if s.Admin.Secret == "" && !isLoopback(host) {
		r.add("admin.listen", "%q can be reached from other machines; set admin.secret, or listen on 127.0.0.1", s.Admin.Listen)
	}
}

// checkAddress reports an address to listen on that is not host:port.
func checkAddress(r *report, path, address string) (host, port string, ok bool) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !isPort(port) || strings.ContainsAny(host, " /") {
		r.add(path, "%q is not an address; write it as :8080 or 127.0.0.1:8080", address)
		return "", "", false
	}
	return host, port, true
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

func isLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost"
}

func checkTLS(t grapnel.TLS, r *report) {
	if t.MinVersion != "" {
		oneOf(r, "tls.min_version", t.MinVersion, "1.2", "1.3")
	}
	checkClients(t, r)
	for i, c := range t.Certificates {
		at := item("tls.certificates", i)
		switch {
		case c.Cert == "":
			r.add(child(at, "cert"), "missing; a certificate is a cert file and a key file")
		case c.Key == "":
			r.add(child(at, "key"), "missing; a certificate is a cert file and a key file")
		default:
			if _, err := tls.LoadX509KeyPair(c.Cert, c.Key); err != nil {
				r.add(at, "%v", err)
			}
		}
	}
}

func checkBounds(s *grapnel.Server, r *report) {
	if s.Limits.Header <= 0 {
		r.add("limits.header", "must be at least 1: headers are always bounded")
	}
	notNegative(r, "limits.body", s.Limits.Body)
	if s.HTTP1 != "" {
		oneOf(r, "http1", string(s.HTTP1), string(grapnel.ServerDirect), string(grapnel.ServerStandard))
	}
	t := s.Timeouts
	notNegative(r, "timeouts.read_header", t.ReadHeader)
	notNegative(r, "timeouts.read", t.Read)
	notNegative(r, "timeouts.write", t.Write)
	notNegative(r, "timeouts.idle", t.Idle)
	notNegative(r, "timeouts.upstream", t.Upstream)
	notNegative(r, "timeouts.drain", t.Drain)
}

func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && host != "" && !strings.ContainsAny(host, " /") && isPort(port) && port != "0"
}

func oneOf(r *report, path, value string, known ...string) {
	if !slices.Contains(known, value) {
		r.add(path, "%q is not one of %s", value, strings.Join(known, ", "))
	}
}

func notNegative[N grapnel.Duration | grapnel.Size | int](r *report, path string, n N) {
	if n < 0 {
		r.add(path, "must not be negative")
	}
}
