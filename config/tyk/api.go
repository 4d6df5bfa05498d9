package tyk

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// A translation makes an API of one definition. It goes on after a mistake, so
// that all of them are told at once.
type translation struct {
	*loading
	file    string
	d       *definition
	refused bool
	asks    string // the plugin server that the API's hooks ask; empty without one
}

// refuse says why the definition is not served.
func (t *translation) refuse(path, format string, args ...any) {
	t.refused = true
	t.note(slog.LevelError, path, "not served: "+format, args...)
}

// warn notices what is served otherwise than the definition says.
func (t *translation) warn(path, format string, args ...any) {
	t.note(slog.LevelWarn, path, format, args...)
}

func (t *translation) note(level slog.Level, path, format string, args ...any) {
	t.notices.add(Notice{File: t.file, Path: path, Level: level, Message: fmt.Sprintf(format, args...)}, path)
}

// api translates the definition. It returns nil when that is not served.
func (t *translation) api() *grapnel.API {
	d := t.d
	a := &grapnel.API{ID: d.APIID, Name: d.Name, OrgID: d.OrgID}
	a.SetDefaults()
	if d.Active != nil && !*d.Active {
		t.warn("active", "not served: the definition is not active; the original serves it all the same [L-47]")
		return nil
	}
	extensions{t}.api(a)
	t.refuseUnsafe()
	a.Listen = t.listen()
	a.Upstream = t.upstream()
	a.Upstream.TLS = t.upstreamTLS(a.Upstream)
	a.GraphQL = t.graphQL()
	a.Hooks = t.hooks()
	a.Auth = callers{t}.methods()
	a.Credential = callers{t}.credential()
	a.Sessions = callers{t}.sessions()
	a.Limits = t.limits()
	a.Events = t.events()
	a.CORS = t.cors()
	a.Addresses = t.addresses()
	a.Versioning = versions{t}.versioning()
	a.MaxBody = t.conf.maxBody()
	a.RateLimitHeaders = true
	a.Internal = d.Internal
	a.Bundle = d.Bundle
	if len(d.ConfigData) > 0 && !d.ConfigDataDisabled { // [B-18]
		a.ConfigData = d.ConfigData
	}
	if t.refused {
		return nil
	}
	return a
}

// limits bound how often the API may be called.
func (t *translation) limits() grapnel.APILimits {
	l := grapnel.APILimits{
		DisableRate: t.d.DisableRateLimit, DisableQuota: t.d.DisableQuota, KeepCounters: t.d.DontSetQuota,
		Told: true, Organisation: t.conf.EnforceOrgQuotas,
	}
	if r := t.d.GlobalRateLimit; !r.Disabled && r.Rate > 0 {
		if r.Per <= 0 {
			t.warn("global_rate_limit.per", "there is no limit: it is not a number of seconds")
		}
		l.RateLimit = grapnel.RateLimit{Rate: r.Rate, Per: max(r.Per, 0)}
	}
	return l
}

// listen says where clients find the API. A path that cannot be served skips
// the definition, as in the original [P-3].
func (t *translation) listen() grapnel.Listen {
	p := t.d.Proxy
	const at = "proxy.listen_path"
	switch {
	case t.d.APIID == "":
		t.refuse("api_id", "it is empty")
	case p.ListenPath == "":
		t.refuse(at, "it is empty")
	case strings.ContainsAny(p.ListenPath, " \t\r\n"):
		t.refuse(at, "%q contains a space", p.ListenPath)
	}
	path := "/" + strings.TrimPrefix(p.ListenPath, "/")
	if err := checkPattern(path); err != nil {
		t.refuse(at, "%q: %v", p.ListenPath, err)
	}
	return grapnel.Listen{
		Hosts:           t.hosts(),
		ListenPath:      path,
		StripListenPath: p.StripListenPath,
		Loose:           !t.conf.HTTPServerOptions.EnableStrictRoutes,
		Aliases:         aliases(t.d.APIID),
	}
}

// aliases is the path made of the API's id [P-4].
func aliases(id string) []string {
	if id == "" || strings.ContainsAny(id, "/{} \t\r\n") {
		return nil
	}
	return []string{"/" + id + "/"}
}

// checkPattern reports {name:expression} segments that mean nothing.
func checkPattern(path string) error {
	depth, begin := 0, 0
	for i := range len(path) {
		switch path[i] {
		case '{':
			if depth++; depth == 1 {
				begin = i + 1
			}
		case '}':
			if depth--; depth < 0 {
				return fmt.Errorf("a } has no {")
			}
			_, expression, _ := strings.Cut(path[begin:i], ":")
			if depth > 0 {
				continue
			}
			if _, err := regexp.Compile(expression); err != nil {
				return err
			}
		}
	}
	if depth > 0 {
		return fmt.Errorf("a { has no }")
	}
	return nil
}

// hosts is the domain, where domains count. A pattern can stand for all names
// below one name and for nothing else.
func (t *translation) hosts() []string {
	domain := strings.ToLower(t.d.Domain)
	if domain == "" || domain == "*" || t.d.DomainDisabled {
		return nil
	}
	if !t.conf.EnableCustomDomains {
		t.warn("domain", "has no effect: enable_custom_domains is off in tyk.conf, so every host is served")
		return nil
	}
	if strings.HasPrefix(domain, "{") {
		name, rest, ok := strings.Cut(domain, "}")
		_, expression, _ := strings.Cut(name, ":")
		if ok && strings.HasPrefix(rest, ".") && slices.Contains([]string{"", ".*", ".+", "[^.]+", "[^.]*"}, expression) {
			domain = "*" + rest
		}
	}
	if host, _, ok := strings.Cut(domain, ":"); ok && !strings.ContainsAny(domain, "{}") {
		domain = host
	}
	if strings.ContainsAny(domain, "{}") {
		t.refuse("domain", "%q: the only pattern that is supported is {name}.example.com", t.d.Domain)
	}
	return []string{domain}
}

// upstream says where requests go.
func (t *translation) upstream() grapnel.Upstream {
	p := t.d.Proxy
	u := grapnel.Upstream{
		PreserveHost:       p.PreserveHostHeader,
		KeepTargetSlash:    p.DisableStripSlash,
		Timeout:            grapnel.Inherit,
		InsecureSkipVerify: p.Transport.InsecureSkipVerify || t.conf.ProxySSLInsecureSkipVerify,
	}
	if p.ServiceDiscovery.Use {
		t.refuse("proxy.service_discovery", "service discovery is not supported, so there is no target")
		return u
	}
	if !p.EnableLoadBalancing || len(p.TargetList) == 0 {
		u.Target = t.target("proxy.target_url", p.TargetURL, "http", "https", "h2c", "ws", "wss", "tyk")
		if p.EnableLoadBalancing {
			t.warn("proxy.enable_load_balancing", "has no effect: target_list is empty")
		}
		return u
	}
	for i, text := range p.TargetList {
		if !strings.Contains(text, "://") {
			text = "http://" + text
		}
		u.Targets = append(u.Targets, t.target(fmt.Sprintf("proxy.target_list[%d]", i), text, "http", "https", "h2c", "ws", "wss"))
	}
	if len(u.Targets) == 1 {
		u.Target, u.Targets = u.Targets[0], nil
	}
	return u
}

// target reads an absolute URL [P-10].
func (t *translation) target(path, text string, schemes ...string) *grapnel.URL {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		t.refuse(path, "%v", err)
		return nil
	case u.Host == "":
		t.refuse(path, "%q is not an absolute URL", text)
	case !slices.Contains(schemes, u.Scheme):
		t.refuse(path, "the scheme %q is not one of %s", u.Scheme, strings.Join(schemes, ", "))
	}
	return &grapnel.URL{URL: *u}
}

// addresses reads the lists of client addresses. One that cannot be read
// refuses the definition: the original would let it pass, or keep it out.
func (t *translation) addresses() grapnel.AddressRules {
	var rules grapnel.AddressRules
	if t.d.AddressesDisabled {
		return rules
	}
	if t.d.EnableAllowedIPs {
		rules.Allow = t.prefixes("allowed_ips", t.d.AllowedIPs)
	}
	if t.d.EnableBlockedIPs {
		rules.Block = t.prefixes("blacklisted_ips", t.d.BlockedIPs)
	}
	return rules
}

func (t *translation) prefixes(path string, list []string) []netip.Prefix {
	var out []netip.Prefix
	for i, text := range list {
		text = strings.TrimSpace(text)
		if addr, err := netip.ParseAddr(text); err == nil {
			addr = addr.Unmap().WithZone("")
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			t.refuse(fmt.Sprintf("%s[%d]", path, i), "%q is neither an address nor a network", text)
			continue
		}
		out = append(out, p.Masked())
	}
	return out
}

func (t *translation) cors() *grapnel.CORS {
	c := t.d.CORS
	if !c.Enable {
		return nil
	}
	return &grapnel.CORS{
		AllowedOrigins:   c.AllowedOrigins,
		AllowedMethods:   c.AllowedMethods,
		AllowedHeaders:   c.AllowedHeaders,
		ExposedHeaders:   c.ExposedHeaders,
		AllowCredentials: c.AllowCredentials,
		MaxAge:           max(c.MaxAge, 0),
		Passthrough:      c.Passthrough,
	}
}
