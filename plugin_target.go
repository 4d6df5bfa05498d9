package grapnel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// TargetForms tell in messages how the target of a plugin server is written.
const TargetForms = "host:port, dns:///name:port, srv:///name, unix:///path, unix-abstract:name or passthrough:///address"

// A Target is where a plugin server listens, taken apart.
type Target struct {
	// Scheme is tcp, dns, srv, unix, unix-abstract or passthrough.
	Scheme string
	// Resolver is the name server that dns and srv ask, as host:port; empty is
	// the system's.
	Resolver string
	// Address is host:port, the name of an SRV record, the path or name of a
	// socket, or what passthrough leaves as it is.
	Address string
}

// ParseTarget reads a target in one of its [TargetForms]. Without a scheme it is
// tcp [L-13].
func ParseTarget(s string) (Target, error) {
	if t, ok := parseTarget(s); ok {
		return t, nil
	}
	return Target{}, fmt.Errorf("%q is not a plugin server's target; write it as %s", s, TargetForms)
}

func parseTarget(s string) (t Target, ok bool) {
	if rest, ok := strings.CutPrefix(s, "unix-abstract:"); ok {
		return Target{Scheme: "unix-abstract", Address: rest}, strings.Trim(rest, "/") != ""
	}
	if address := strings.TrimPrefix(s, "tcp://"); isHostPort(address) {
		return Target{Scheme: "tcp", Address: address}, true
	}
	switch scheme, rest, _ := strings.Cut(s, ":"); scheme {
	case "unix":
		return parseSocket(rest)
	case "dns", "srv", "passthrough":
		return parseNamed(scheme, rest)
	}
	return t, false
}

// parseSocket reads the path of a socket, which is whole after //, and may be
// relative without.
func parseSocket(rest string) (Target, bool) {
	path, whole := strings.CutPrefix(rest, "//")
	if whole && !strings.HasPrefix(path, "/") {
		return Target{}, false
	}
	return Target{Scheme: "unix", Address: path}, strings.Trim(path, "/") != ""
}

// parseNamed reads //resolver/name, where the resolver may be empty, or the name
// alone.
func parseNamed(scheme, rest string) (t Target, ok bool) {
	t.Scheme, t.Address = scheme, rest
	if authority, found := strings.CutPrefix(rest, "//"); found {
		if t.Resolver, t.Address, found = strings.Cut(authority, "/"); !found {
			return t, false
		}
	}
	if t.Resolver != "" && scheme != "passthrough" {
		if !strings.Contains(t.Resolver, ":") {
			t.Resolver = net.JoinHostPort(t.Resolver, "53")
		}
		if !isHostPort(t.Resolver) {
			return t, false
		}
	}
	switch scheme {
	case "dns":
		return t, isHostPort(t.Address)
	case "srv":
		return t, t.Address != "" && !strings.ContainsAny(t.Address, " /:")
	}
	return t, t.Address != ""
}

func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" || strings.ContainsAny(host, " /") {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// Host is the name or address of the machine; empty for sockets and SRV records.
func (t Target) Host() string {
	switch t.Scheme {
	case "tcp", "dns", "passthrough":
		host, _, _ := net.SplitHostPort(t.Address)
		return host
	}
	return ""
}

// Local reports whether calls to the target never leave the machine.
func (t Target) Local() bool {
	switch t.Scheme {
	case "unix", "unix-abstract":
		return true
	}
	host := t.Host()
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost"
}

// Addresses returns the targets of a server, be they one or several. It fails
// when one of them is none, or when there is none at all.
func (s *PluginServer) Addresses() ([]Target, error) {
	all := s.Targets
	if s.Target != "" {
		all = []string{s.Target}
	}
	if len(all) == 0 {
		return nil, errors.New("no target; write it as " + TargetForms)
	}
	out := make([]Target, len(all))
	for i, text := range all {
		var err error
		if out[i], err = ParseTarget(text); err != nil {
			return nil, err
		}
	}
	return out, nil
}
