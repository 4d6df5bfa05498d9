// Package graphql reads the requests of APIs that speak GraphQL, and holds them
// to bounds: those of the API, and those of the key that is used.
//
// What goes upstream is what was read. A request is refused when it cannot be
// read, or when an upstream could read it in another way: two names of one
// parameter, a query in the URL and another in the body, several operations and
// none chosen. Reading takes time and memory that grow with the size of the
// request and no faster, whatever fragments make of it.
package graphql

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// A Guard reads and bounds the requests of one API. A nil one does nothing.
type Guard struct {
	id       string // of the API
	hooks    bool   // some are asked before the check
	settings grapnel.GraphQL
	schema   *schema // nil without one
}

// New makes the guard of an API; nil when that does not speak GraphQL. It fails
// when the schema cannot be read.
func New(api *grapnel.API) (*Guard, error) {
	if api.GraphQL == nil {
		return nil, nil
	}
	g := &Guard{id: api.ID, settings: *api.GraphQL, hooks: len(api.Hooks.Pre)+len(api.Hooks.PostKeyAuth) > 0}
	for i := range api.Auth {
		g.hooks = g.hooks || api.Auth[i].Asks()
	}
	if g.settings.Schema != "" {
		s, err := load(g.settings.Schema)
		if err != nil {
			return nil, fmt.Errorf("graphql.schema of API %q: %w", api.ID, err)
		}
		g.schema = s
	}
	return g, nil
}

// Facts makes the middleware that reads requests for the hooks that are asked
// before the check. It refuses nothing, since they may still make something else
// of the request.
func (g *Guard) Facts() grapnel.Middleware {
	if g == nil || !g.hooks {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if _, err := bodyOf(x); err != nil { // nobody after this would get the whole body
				return nil, err
			}
			if g.read(x) != nil {
				x.GraphQL = nil
			}
			return next(x)
		}
	}
}

// Check makes the middleware that refuses what is not allowed. It stands where
// the caller is known, and once more behind the last hook: there it costs a
// comparison, unless the request has changed.
func (g *Guard) Check() grapnel.Middleware {
	if g == nil {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if err := g.read(x); err != nil {
				return nil, err
			}
			if err := g.bound(x.GraphQL); err != nil {
				return nil, err
			}
			if x.Session != nil {
				if err := g.allow(x.Session, x.GraphQL); err != nil {
					return nil, err
				}
			}
			return next(x)
		}
	}
}

// read sets the exchange's facts, unless they are those of the request already.
func (g *Guard) read(x *grapnel.Exchange) error {
	body, err := bodyOf(x)
	if err != nil {
		return err
	}
	source := sourceOf(x, body)
	if x.GraphQL != nil && same(x.GraphQL.Source, source) {
		return nil
	}
	asked, err := requests{g.settings}.asked(source)
	if err != nil {
		return err
	}
	facts := &grapnel.GraphQLFacts{Source: source}
	for _, a := range asked {
		op := grapnel.GraphQLOperation{Opaque: a.opaque}
		if a.query != "" {
			if err := g.analyse(a, &op); err != nil {
				return err
			}
		}
		facts.Operations = append(facts.Operations, op)
		facts.Depth = max(facts.Depth, op.Depth)
		facts.Complexity = add(facts.Complexity, op.Complexity)
		facts.Aliases = add(facts.Aliases, op.Aliases)
	}
	x.GraphQL = facts
	return nil
}

func bodyOf(x *grapnel.Exchange) ([]byte, error) {
	body, err := x.Body()
	if err == nil {
		return body, nil
	}
	if e, ok := errors.AsType[*grapnel.Error](err); ok {
		return nil, e
	}
	e := refused(http.StatusBadRequest, "The body broke off.")
	e.Err = err
	if x.Request.Context().Err() != nil {
		e.Status, e.Code = grapnel.StatusClientGone, grapnel.CodeClientGone
	}
	return nil, e
}

func same(a, b grapnel.GraphQLSource) bool {
	return a.Method == b.Method && a.Query == b.Query && a.Type == b.Type && a.Encoding == b.Encoding &&
		a.Upgrade == b.Upgrade && bytes.Equal(a.Body, b.Body)
}

// malformed refuses a request, and says so in GraphQL's own form.
func malformed(format string, args ...any) error {
	return refused(http.StatusBadRequest, format, args...)
}

func refused(status int, format string, args ...any) *grapnel.Error {
	return &grapnel.Error{Status: status, Code: grapnel.CodeGraphQL, Message: fmt.Sprintf(format, args...)}
}
