package condition

import (
	"net/http"
	"strings"

	"cel.dev/cel-go/cel"

	"github.com/grapnel-gateway/grapnel"
)

// A variable is what an expression can name. Its value is worked out when an
// expression uses it, and only then.
type variable struct {
	typ   *cel.Type
	value func(*exchange) any
}

// ofRequests are the variables of every hook, by name.
func ofRequests() map[string]variable {
	texts, list := cel.MapType(cel.StringType, cel.StringType), cel.ListType(cel.StringType)
	return map[string]variable{
		"request.method":   {cel.StringType, func(e *exchange) any { return e.x.Request.Method }},
		"request.path":     {cel.StringType, func(e *exchange) any { return single(e.x.Request.URL.Path) }},
		"request.host":     {cel.StringType, func(e *exchange) any { return e.x.Request.Host }},
		"request.headers":  {texts, func(e *exchange) any { return e.header.of(e.x.Request.Header, strings.ToLower) }},
		"request.query":    {texts, func(e *exchange) any { return e.query.of(e.x.Request.URL.Query(), asItIs) }},
		"request.size":     {cel.IntType, func(e *exchange) any { return e.x.Request.ContentLength }},
		"client.address":   {cel.StringType, func(e *exchange) any { return e.x.Client.String() }},
		"api.id":           {cel.StringType, func(e *exchange) any { return e.x.API.ID }},
		"api.name":         {cel.StringType, func(e *exchange) any { return e.x.API.Name }},
		"api.org":          {cel.StringType, func(e *exchange) any { return e.x.API.OrgID }},
		"session.key":      {cel.StringType, func(e *exchange) any { return e.session().KeyID }},
		"session.alias":    {cel.StringType, func(e *exchange) any { return e.session().Alias }},
		"session.org":      {cel.StringType, func(e *exchange) any { return e.session().OrgID }},
		"session.metadata": {cel.MapType(cel.StringType, cel.DynType), func(e *exchange) any { return e.session().Metadata }},
		"session.policies": {list, func(e *exchange) any { return e.session().ApplyPolicies }},
		"session.tags":     {list, func(e *exchange) any { return e.session().Tags }},
	}
}

// ofReplies are those that Response hooks have beside.
func ofReplies() map[string]variable {
	return map[string]variable{
		"response.status":  {cel.IntType, func(e *exchange) any { return e.reply.StatusCode }},
		"response.headers": {cel.MapType(cel.StringType, cel.StringType), func(e *exchange) any { return e.replyHeader.of(e.reply.Header, strings.ToLower) }},
	}
}

// An exchange is what an expression sees of one. It implements [cel.Activation].
type exchange struct {
	x         *grapnel.Exchange
	reply     *http.Response
	variables map[string]variable

	header, query, replyHeader firsts
}

// ResolveName implements [cel.Activation].
func (e *exchange) ResolveName(name string) (any, bool) {
	v, ok := e.variables[name]
	if !ok {
		return nil, false
	}
	return v.value(e), true
}

// Parent implements [cel.Activation]: there is none.
func (*exchange) Parent() cel.Activation { return nil }

// session is who calls; nobody is an empty one.
func (e *exchange) session() *grapnel.Session {
	if e.x.Session == nil {
		return &grapnel.Session{}
	}
	return e.x.Session
}

// firsts are the first values of headers or parameters, by name.
type firsts map[string]string

// of makes them, once, with each name as spelt makes it.
func (f *firsts) of(all map[string][]string, spelt func(string) string) map[string]string {
	if *f != nil {
		return *f
	}
	*f = make(firsts, len(all))
	for name, values := range all {
		if len(values) > 0 {
			(*f)[spelt(name)] = values[0]
		}
	}
	return *f
}

func asItIs(name string) string { return name }
