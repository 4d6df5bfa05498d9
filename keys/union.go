package keys

import (
	"cmp"
	"maps"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// parts are the groups of a session that policies govern [S-21].
type parts struct{ quota, rate, complexity, acl bool }

// partsOf is what a policy governs: its partitions, or else everything.
func partsOf(p *grapnel.Policy) parts {
	g := parts{p.Partitions.Quota, p.Partitions.RateLimit, p.Partitions.Complexity, p.Partitions.ACL}
	if g == (parts{}) {
		return parts{true, true, true, true}
	}
	return g
}

func (g parts) or(h parts) parts {
	return parts{g.quota || h.quota, g.rate || h.rate, g.complexity || h.complexity, g.acl || h.acl}
}

// of are the numbers of a policy that it governs with.
func (g parts) of(p *grapnel.Policy) (l grapnel.APILimit) {
	if g.quota {
		l.QuotaMax, l.QuotaRenewalRate = p.QuotaMax, p.QuotaRenewalRate
	}
	if g.rate {
		l.Rate, l.Per = p.Rate, p.Per
		l.ThrottleInterval, l.ThrottleRetryLimit = p.ThrottleInterval, p.ThrottleRetryLimit
	}
	if g.complexity {
		l.MaxQueryDepth = p.MaxQueryDepth
	}
	return l
}

// put replaces the session's numbers in the governed groups.
func (g parts) put(s *grapnel.Session, l grapnel.APILimit) {
	if g.quota {
		s.QuotaMax, s.QuotaRenewalRate = l.QuotaMax, l.QuotaRenewalRate
	}
	if g.rate {
		s.Rate, s.Per = l.Rate, l.Per
		s.ThrottleInterval, s.ThrottleRetryLimit = l.ThrottleInterval, l.ThrottleRetryLimit
	}
	if g.complexity {
		s.MaxQueryDepth = l.MaxQueryDepth
	}
}

// completed gives a limit the session's numbers in the groups of which it says
// nothing, so that the whole of it can take the place of the session's.
func completed(l grapnel.APILimit, s *grapnel.Session) grapnel.APILimit {
	if l.QuotaMax == 0 {
		l.QuotaMax, l.QuotaRenewalRate = s.QuotaMax, s.QuotaRenewalRate
	}
	if l.Rate == 0 {
		l.Rate, l.Per = s.Rate, s.Per
	}
	if l.ThrottleRetryLimit == 0 {
		l.ThrottleInterval, l.ThrottleRetryLimit = s.ThrottleInterval, s.ThrottleRetryLimit
	}
	if l.MaxQueryDepth == 0 {
		l.MaxQueryDepth = s.MaxQueryDepth
	}
	return l
}

// generous takes from each group the more generous numbers. 0 says nothing, a
// number below it is no limit at all [S-20].
func generous(a, b grapnel.APILimit) grapnel.APILimit {
	if moreOften(b.Rate, b.Per, a.Rate, a.Per) {
		a.Rate, a.Per = b.Rate, b.Per
	}
	if more(b.ThrottleRetryLimit, a.ThrottleRetryLimit) {
		a.ThrottleInterval, a.ThrottleRetryLimit = b.ThrottleInterval, b.ThrottleRetryLimit
	}
	if more(b.MaxQueryDepth, a.MaxQueryDepth) {
		a.MaxQueryDepth = b.MaxQueryDepth
	}
	sooner := b.QuotaRenewalRate > 0 && (a.QuotaRenewalRate <= 0 || b.QuotaRenewalRate < a.QuotaRenewalRate)
	if more(b.QuotaMax, a.QuotaMax) || b.QuotaMax == a.QuotaMax && sooner {
		a.QuotaMax, a.QuotaRenewalRate = b.QuotaMax, b.QuotaRenewalRate
	}
	return a
}

func more[T cmp.Ordered](b, a T) bool {
	var none T
	return a >= none && (b < none || b > a)
}

// moreOften reports whether rate b in per b allows more than a does; where both
// allow as much, whether it allows more at once. No span is no limit [S-32].
func moreOften(rateB, perB, rateA, perA float64) bool {
	if rateA <= 0 || rateB <= 0 {
		return more(rateB, rateA)
	}
	b, a := rateB/max(perB, 0), rateA/max(perA, 0)
	return b > a || b == a && rateB > rateA
}

// union is the right to do what either of two rights allows on one API. As in
// the original, URLs that one of them lists stay the only ones, also where the
// other lists none.
func union(a, b grapnel.AccessDefinition) grapnel.AccessDefinition {
	a.Versions = united(a.Versions, b.Versions)
	a.Limit = generous(a.Limit, b.Limit)
	a.Scope = cmp.Or(b.Scope, a.Scope)
	urls := slices.Clone(a.AllowedURLs)
	for _, u := range b.AllowedURLs {
		i := slices.IndexFunc(urls, func(v grapnel.AccessSpec) bool { return v.URL == u.URL })
		if i < 0 {
			urls = append(urls, u)
		} else {
			urls[i].Methods = united(urls[i].Methods, u.Methods)
		}
	}
	a.AllowedURLs = urls
	a.Endpoints = unitedEndpoints(a.Endpoints, b.Endpoints)
	if len(b.Extra) > 0 {
		extra := maps.Clone(b.Extra)
		maps.Copy(extra, a.Extra)
		a.Extra = extra
	}
	return a
}

// unitedEndpoints has the limits of both lists, and the more generous where both
// limit one method of an endpoint.
func unitedEndpoints(a, b []grapnel.EndpointLimit) []grapnel.EndpointLimit {
	out := slices.Clone(a)
	for _, e := range b {
		i := slices.IndexFunc(out, func(f grapnel.EndpointLimit) bool { return f.Path == e.Path })
		if i < 0 {
			out = append(out, e)
			continue
		}
		methods := slices.Clone(out[i].Methods)
		for _, m := range e.Methods {
			j := slices.IndexFunc(methods, func(n grapnel.MethodLimit) bool { return n.Name == m.Name })
			switch {
			case j < 0:
				methods = append(methods, m)
			case moreOften(m.Limit.Rate, m.Limit.Per, methods[j].Limit.Rate, methods[j].Limit.Per):
				methods[j] = m
			}
		}
		out[i].Methods = methods
	}
	return out
}

// united is a list with everything of both, each once. It writes into neither.
func united(a, b []string) []string {
	out := slices.Clip(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
