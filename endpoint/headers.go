package endpoint

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// RequestHeaders changes the headers of requests; Post hooks see the change
// [M-8, T-178].
func RequestHeaders(api *grapnel.API) grapnel.Middleware {
	changes := headerChanges(api, func(v *grapnel.Version) []grapnel.HeaderRule { return v.RequestHeaders })
	if changes == nil {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			for _, c := range selected(changes[x.Version], x) {
				c.apply(x, x.Request.Header)
			}
			return next(x)
		}
	}
}

// ResponseHeaders changes the headers of the upstream's replies, before the
// Response hooks see them [M-20]. The gateway's own errors stay as they are.
func ResponseHeaders(api *grapnel.API) grapnel.Middleware {
	changes := headerChanges(api, func(v *grapnel.Version) []grapnel.HeaderRule { return v.ResponseHeaders })
	if changes == nil {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			// The upstream stage turns the request into what goes
			// upstream; the rules are about what came in.
			chosen := selected(changes[x.Version], x)
			res, err := next(x)
			if err != nil {
				return nil, err
			}
			for _, c := range chosen {
				c.apply(x, res.Header)
			}
			return res, nil
		}
	}
}

// A headerChange is a header rule with names in canonical form and values ready
// to be filled in.
type headerChange struct {
	grapnel.PathRule
	remove []string
	set    []field
}

type field struct {
	name  string
	value text
}

func headerChanges(api *grapnel.API, rules func(*grapnel.Version) []grapnel.HeaderRule) map[*grapnel.Version][]headerChange {
	if !api.Versioning.Any(func(v *grapnel.Version) bool { return len(rules(v)) > 0 }) {
		return nil
	}
	all := map[*grapnel.Version][]headerChange{}
	for _, v := range api.Versioning.Versions {
		for _, r := range rules(v) {
			c := headerChange{PathRule: r.PathRule}
			for _, name := range r.Delete {
				c.remove = append(c.remove, http.CanonicalHeaderKey(name))
			}
			for _, name := range slices.Sorted(maps.Keys(r.Set)) {
				c.set = append(c.set, field{http.CanonicalHeaderKey(name), newText(r.Set[name], facts)})
			}
			all[v] = append(all[v], c)
		}
	}
	return all
}

// selected are the changes that apply to a request: all that hold for every
// path, and of those with a path the first that selects it.
func selected(changes []headerChange, x *grapnel.Exchange) []*headerChange {
	var chosen []*headerChange
	found := false
	for i := range changes {
		c := &changes[i]
		if c.Path != nil && found || !c.Selects(x) {
			continue
		}
		found = found || c.Path != nil
		chosen = append(chosen, c)
	}
	return chosen
}

// apply deletes, then sets. A value that HTTP forbids is not sent, and neither
// is what it was to replace: the upstream must not take a client's header for
// the gateway's.
func (c *headerChange) apply(x *grapnel.Exchange, h http.Header) {
	for _, name := range c.remove {
		delete(h, name)
	}
	for _, f := range c.set {
		value := f.value.expand(x, nil, verbatim)
		if strings.ContainsFunc(value, forbidden) {
			delete(h, f.name)
			continue
		}
		grapnel.SetHeader(h, f.name, value)
	}
}

func verbatim(s string) string { return s }

func forbidden(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
