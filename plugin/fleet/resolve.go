package fleet

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// A place is where an endpoint listens. Places that are equal are one endpoint.
type place struct {
	target    string // one address, as [rpc.Options] takes it; reports call the endpoint so
	authority string // what its calls are addressed to; empty is the target
	host      string // whose certificate it must have
}

// places finds the endpoints of targets, and remembers those of a name that
// cannot be resolved at the moment.
type places struct {
	targets []grapnel.Target
	last    [][]place
}

// fixed reports whether nothing has to be looked up.
func (p *places) fixed() bool {
	return !slices.ContainsFunc(p.targets, func(t grapnel.Target) bool { return t.Scheme == "dns" || t.Scheme == "srv" })
}

// find looks all targets up. What it returns is worth using even beside an error.
func (p *places) find(ctx context.Context) (all []place, err error) {
	if p.last == nil {
		p.last = make([][]place, len(p.targets))
	}
	for i, t := range p.targets {
		found, failed := lookUp(ctx, t)
		if failed == nil || len(p.last[i]) == 0 {
			p.last[i] = found
		}
		err = errors.Join(err, failed)
		for _, at := range p.last[i] {
			if !slices.Contains(all, at) {
				all = append(all, at)
			}
		}
	}
	return all, err
}

// lookUp finds the places of one target, or on error some of them. A name without
// an address is an error.
func lookUp(ctx context.Context, t grapnel.Target) ([]place, error) {
	switch t.Scheme {
	case "unix", "unix-abstract":
		return []place{{target: t.Scheme + ":" + t.Address, host: "localhost"}}, nil
	case "passthrough":
		return []place{{target: "passthrough:///" + t.Address, host: t.Host()}}, nil
	case "dns":
		host, port, _ := net.SplitHostPort(t.Address)
		return lookUpHost(ctx, resolver(t), host, port)
	case "srv":
		return lookUpService(ctx, resolver(t), t.Address)
	}
	return []place{{target: t.Address, host: t.Host()}}, nil
}

func lookUpHost(ctx context.Context, r *net.Resolver, host, port string) ([]place, error) {
	addresses, err := r.LookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	slices.Sort(addresses) // their order means nothing and changes
	var out []place
	for _, a := range addresses {
		out = append(out, place{target: net.JoinHostPort(a, port), authority: net.JoinHostPort(host, port), host: host})
	}
	return out, nil
}

// lookUpService finds the servers of a service, but for those that stand in for
// the others when they are lost.
func lookUpService(ctx context.Context, r *net.Resolver, name string) ([]place, error) {
	_, records, err := r.LookupSRV(ctx, "", "", name)
	if err != nil {
		return nil, err
	}
	var out []place
	for _, s := range records { // the first ones come first
		if s.Priority != records[0].Priority {
			break
		}
		found, failed := lookUpHost(ctx, r, strings.TrimSuffix(s.Target, "."), strconv.Itoa(int(s.Port)))
		if failed != nil {
			err = errors.Join(err, failed)
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b place) int { return strings.Compare(a.target, b.target) })
	return out, err
}

// resolver asks the target's own name server, where it has one.
func resolver(t grapnel.Target) *net.Resolver {
	if t.Resolver == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, t.Resolver)
	}}
}
