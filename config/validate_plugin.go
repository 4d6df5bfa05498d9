package config

import (
	"os"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/grapnel-gateway/grapnel"
)

// checkPlugin reports what a plugin server cannot be.
func checkPlugin(s *grapnel.PluginServer, at string, r *report) {
	checkWhere(s, at, r)
	if len(s.Versions) > 0 {
		checkChoice(s, at, r)
	}
	oneOf(r, child(at, "compat"), string(s.Compat), string(grapnel.CompatNative), string(grapnel.CompatTyk))
	if s.Client != "" {
		oneOf(r, child(at, "client"), s.Client, "direct", "grpc")
	}
	notNegative(r, child(at, "timeout"), s.Timeout)
	notNegative(r, child(at, "max_send"), s.MaxSend)
	if s.MaxReceive <= 0 {
		r.add(child(at, "max_receive"), "must be at least 1: answers are always bounded")
	}
	if s.Authority != "" && !httpguts.ValidHostHeader(s.Authority) {
		r.add(child(at, "grpc_authority"), "%q is not an authority; write it as host or host:port", s.Authority)
	}
	checkBalance(&s.Balance, child(at, "balance"), r)
	checkHealth(&s.Health, child(at, "health"), r)
	checkPluginLimits(s, at, r)
	if s.TLS != nil {
		checkPluginTLS(s.TLS, child(at, "tls"), r)
	}
	if s.TokenFile != "" {
		checkToken(s, child(at, "token_file"), r)
	}
}

// checkWhere reports a server that is nowhere, or in two places.
func checkWhere(s *grapnel.PluginServer, at string, r *report) {
	var given []string
	for _, way := range []struct {
		key   string
		given bool
	}{
		{"target", s.Target != ""}, {"targets", len(s.Targets) > 0}, {"exec", len(s.Exec) > 0}, {"versions", len(s.Versions) > 0},
	} {
		if way.given {
			given = append(given, way.key)
		}
	}
	switch {
	case len(given) == 0:
		r.add(child(at, "target"), "missing; write it as %s, or give targets, exec or versions", grapnel.TargetForms)
	case len(given) > 1:
		r.add(child(at, given[1]), "stands beside %s; give one of them", given[0])
	}
	if len(s.Exec) > 0 && s.Exec[0] == "" {
		r.add(item(child(at, "exec"), 0), "missing; it is the command that starts the server")
	}
	if s.Target != "" {
		checkTarget(s.Target, child(at, "target"), r)
	}
	for i, t := range s.Targets {
		checkTarget(t, item(child(at, "targets"), i), r)
	}
}

// checkChoice reports settings of connections on a server that has none, because it
// is a choice between others.
func checkChoice(s *grapnel.PluginServer, at string, r *report) {
	var unset grapnel.PluginServer
	unset.SetDefaults()
	for _, setting := range []struct {
		key   string
		given bool
	}{
		{"compat", s.Compat != unset.Compat}, {"max_receive", s.MaxReceive != unset.MaxReceive}, {"max_send", s.MaxSend != 0},
		{"grpc_authority", s.Authority != ""}, {"verbatim_headers", s.VerbatimHeaders}, {"client", s.Client != ""},
		{"balance", s.Balance != unset.Balance}, {"health", s.Health != unset.Health}, {"tls", s.TLS != nil}, {"token_file", s.TokenFile != ""},
		{"limits", s.Limits != unset.Limits}, {"breaker", s.Breaker != unset.Breaker}, {"retry_budget", s.RetryBudget != unset.RetryBudget},
	} {
		if setting.given {
			r.add(child(at, setting.key), "has no effect beside versions; it is for the servers that they name")
		}
	}
}

func checkTarget(target, at string, r *report) {
	if _, err := grapnel.ParseTarget(target); err != nil {
		r.add(at, "%v", err)
	}
}

func checkBalance(b *grapnel.Balance, at string, r *report) {
	oneOf(r, child(at, "method"), b.Method, "round_robin", "least_request", "hash", "first")
	switch {
	case b.Method == "hash" && b.Hash == "":
		r.add(child(at, "hash"), "missing; it says what keeps to one replica: session, or the name of a header")
	case b.Method != "hash" && b.Hash != "":
		r.add(child(at, "hash"), "has no effect while method is %s", b.Method)
	case b.Hash != "" && !httpguts.ValidHeaderFieldName(b.Hash):
		r.add(child(at, "hash"), "%q is neither session nor the name of a header", b.Hash)
	}
	notNegative(r, child(at, "slow_start"), b.SlowStart)
	if b.Connections < 1 {
		r.add(child(at, "connections"), "must be at least 1")
	}
}

func checkHealth(h *grapnel.Health, at string, r *report) {
	notNegative(r, child(at, "interval"), h.Interval)
	notNegative(r, child(at, "failures"), h.Failures)
	if h.Eject < 0 || h.Eject == 0 && h.Failures > 0 {
		r.add(child(at, "eject"), "must be more than 0; failures: 0 ejects nobody")
	}
}

func checkPluginLimits(s *grapnel.PluginServer, at string, r *report) {
	limits, breaker := child(at, "limits"), child(at, "breaker")
	notNegative(r, child(limits, "in_flight"), s.Limits.InFlight)
	notNegative(r, child(limits, "queue"), s.Limits.Queue)
	if s.Limits.Wait < 0 || s.Limits.Wait == 0 && s.Limits.Queue > 0 {
		r.add(child(limits, "wait"), "must be more than 0; queue: 0 lets nobody wait")
	}
	notNegative(r, child(breaker, "failures"), s.Breaker.Failures)
	if s.Breaker.Failures > 0 && s.Breaker.Open <= 0 {
		r.add(child(breaker, "open"), "must be more than 0; failures: 0 never opens it")
	}
	if s.Breaker.Failures > 0 && s.Breaker.Probes < 1 {
		r.add(child(breaker, "probes"), "must be at least 1")
	}
}

func checkPluginTLS(t *grapnel.PluginTLS, at string, r *report) {
	if t.CA != "" {
		checkPEM(t.CA, child(at, "ca"), r)
	}
	checkKeyPair(t.Cert, t.Key, at, r)
	if t.SPIFFEID == "" {
		return
	}
	if t.ServerName != "" {
		r.add(child(at, "spiffe_id"), "stands beside server_name; a certificate is checked for one of them")
	}
	domain, path, _ := strings.Cut(strings.TrimPrefix(t.SPIFFEID, "spiffe://"), "/")
	star := strings.IndexByte(t.SPIFFEID, '*')
	if !strings.HasPrefix(t.SPIFFEID, "spiffe://") || domain == "" || path == "" ||
		star >= 0 && (star != len(t.SPIFFEID)-1 || !strings.HasSuffix(t.SPIFFEID, "/*")) {
		r.add(child(at, "spiffe_id"), "%q is not an id; write it as spiffe://domain/path, or spiffe://domain/path/* for all below", t.SPIFFEID)
	}
}

// checkToken reports a token that cannot be read, or that everyone on the way
// could.
func checkToken(s *grapnel.PluginServer, at string, r *report) {
	if text, err := os.ReadFile(s.TokenFile); err != nil {
		r.add(at, "%v", err)
	} else if strings.TrimSpace(string(text)) == "" {
		r.add(at, "%s is empty", s.TokenFile)
	}
	if s.TLS != nil || len(s.Exec) > 0 {
		return
	}
	targets, _ := s.Addresses() // what is wrong with them has been told
	for _, t := range targets {
		if !t.Local() {
			r.add(at, "would go to %s in clear; set tls", t.Address)
			return
		}
	}
}
