package graphql_test

import (
	"encoding/json"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

// right is a session's right to call the API, in its stored form.
func right(t *testing.T, text string) *grapnel.Session {
	t.Helper()
	var s grapnel.Session
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// TestSessionDepth: whose max_query_depth holds [L-3, S-1, S-3].
func TestSessionDepth(t *testing.T) {
	g := guard(t, api(func(s *grapnel.GraphQL) { s.MaxDepth = 4 }))
	one, three, four, five := "{a}", "{a{b{c}}}", "{a{b{c{d}}}}", "{a{b{c{d{e}}}}}"
	for _, c := range []struct {
		name, session, query string
		status               int
	}{
		{"none", `{}`, four, 0},
		{"none, over the API's", `{}`, five, 403},
		{"unlimited", `{"max_query_depth":-1}`, four, 0},
		{"unlimited, over the API's", `{"max_query_depth":-1}`, five, 403},
		{"zero", `{"max_query_depth":0}`, four, 0},
		{"as deep", `{"max_query_depth":3}`, three, 0},
		{"too deep", `{"max_query_depth":3}`, four, 403},
		{"only leaves", `{"max_query_depth":1}`, one, 0},
		{"of the API", `{"max_query_depth":9,"access_rights":{"a":{"limit":{"max_query_depth":3}}}}`, four, 403},
		{"of the API, as deep", `{"max_query_depth":1,"access_rights":{"a":{"limit":{"max_query_depth":3}}}}`, three, 0},
		{"no limit on the API", `{"max_query_depth":1,"access_rights":{"a":{"limit":{"max_query_depth":-1}}}}`, four, 0},
		{"the API says nothing", `{"max_query_depth":3,"access_rights":{"a":{"limit":{"rate":5,"per":1}}}}`, four, 403},
		{"of another API", `{"access_rights":{"a":{},"b":{"limit":{"max_query_depth":1}}}}`, four, 0},
		{"of a root field", `{"access_rights":{"a":{"field_access_rights":[{"type_name":"Query","field_name":"a","limits":{"max_query_depth":2}}]}}}`, four, 403},
		{"of a root field, as deep", `{"max_query_depth":1,"access_rights":{"a":{"field_access_rights":[{"type_name":"Query","field_name":"a","limits":{"max_query_depth":2}}]}}}`, three, 0},
		{"of a root field, none", `{"max_query_depth":1,"access_rights":{"a":{"field_access_rights":[{"type_name":"Query","field_name":"a","limits":{"max_query_depth":-1}}]}}}`, four, 0},
		{"of another root field", `{"max_query_depth":3,"access_rights":{"a":{"field_access_rights":[{"type_name":"Query","field_name":"b","limits":{"max_query_depth":9}}]}}}`, four, 403},
		{"of another root type", `{"max_query_depth":3,"access_rights":{"a":{"field_access_rights":[{"type_name":"Mutation","field_name":"a","limits":{"max_query_depth":9}}]}}}`, four, 403},
		{"introspection", `{"max_query_depth":1}`, "{__schema{types{name}}}", 0},
		{"introspection, over the API's", `{"max_query_depth":1}`, "{__schema{types{fields{type{name}}}}}", 403},
		{"introspection and more", `{"max_query_depth":2}`, "{__schema{types{name}} a}", 403},
		{"introspection hidden in a fragment", `{"max_query_depth":2}`, "{...F} fragment F on Query {__typename a{b{c}}}", 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := post(c.query)
			x.Session = right(t, c.session)
			_, e := check(t, g, x)
			expect(t, e, c.status, "depth limit exceeded")
		})
	}
}

// TestTypes: which fields a key may ask for; the texts are the original's.
func TestTypes(t *testing.T) {
	typed := guard(t, api(func(s *grapnel.GraphQL) { s.Schema = shop }))
	rights := func(text string) string { return `{"access_rights":{"a":{` + text + `}}}` }
	hidden := rights(`"restricted_types":[{"name":"User","fields":["email"]},{"name":"Order","fields":["*"]}]`)
	listed := rights(`"allowed_types":[{"name":"Query","fields":["me"]},{"name":"User","fields":["*"]}],"restricted_types":[{"name":"User","fields":["name"]}]`)
	for _, c := range []struct {
		name, session, query string
		status               int
		message              string
	}{
		{"not restricted", hidden, "{me{name}}", 0, ""},
		{"restricted", hidden, "{me{name email}}", 400, "field: email is restricted on type: User"},
		{"renamed", hidden, "{me{name: email}}", 400, "field: email is restricted on type: User"},
		{"in a fragment", hidden, "{me{...F}} fragment F on User{friends{email}}", 400, "field: email is restricted on type: User"},
		{"all fields", hidden, "{orders{id}}", 400, "field: id is restricted on type: Order"},
		{"through an interface", hidden, "{node(id:1){id}}", 400, "field: id is restricted on type: Order"},
		{"unused fragment", hidden, "{me{name}} fragment F on User{email}", 0, ""},
		{"allowed", listed, "{me{name email}}", 0, ""},
		{"typename", listed, "{__typename me{__typename}}", 0, ""},
		{"not allowed", listed, "{me{name} orders{id}}", 400, "field: id is restricted on type: Order"},
		{"not allowed on Query", listed, "{search{__typename}}", 400, "field: search is restricted on type: Query"},
		{"introspection", rights(`"disable_introspection":true`), `{__type(name:"User"){name}}`, 403, "introspection is disabled"},
		{"introspection beside", rights(`"disable_introspection":true`), "{me{name} ...F} fragment F on Query{__schema{types{name}}}", 403, "introspection is disabled"},
		{"introspection allowed", rights(`"disable_introspection":false`), "{__schema{types{name}}}", 0, ""},
		{"empty lists", rights(`"restricted_types":[],"allowed_types":null,"field_access_rights":[]`), "{me{email}}", 0, ""},
		{"another API's", `{"access_rights":{"b":{"restricted_types":[{"name":"User","fields":["email"]}]}}}`, "{me{email}}", 0, ""},
		{"right of another shape", rights(`"restricted_types":"User"`), "{me{name}}", 500, "problem proxying"},
		{"right of another shape, in another case", rights(`"Restricted_Types":"User"`), "{me{name}}", 500, "problem proxying"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := post(c.query)
			x.Session = right(t, c.session)
			_, e := check(t, typed, x)
			expect(t, e, c.status, c.message)
		})
	}
	x := post("{me{name}}")
	x.Session = right(t, hidden)
	_, e := check(t, guard(t, api(nil)), x) // without a schema nobody knows what me is
	expect(t, e, 500, "problem proxying")
}

// TestInputs: a restricted field of an input type is not given a value, in
// whatever place.
func TestInputs(t *testing.T) {
	g := guard(t, api(func(s *grapnel.GraphQL) {
		s.Schema = shop + ` extend type Mutation { put(all: [[Deep]], n: Int): Order } input Deep { order: New  next: Deep  all: [New!] }`
	}))
	session := right(t, `{"access_rights":{"a":{"restricted_types":[{"name":"New","fields":["total"]}]}}}`)
	const in, all = `mutation($i: Deep){put(all: [[$i]]){id}}`, `mutation($i: [[Deep]]){put(all: $i){id}}`
	for _, c := range []struct {
		name, query, variables string
		status                 int
		message                string
	}{
		{"in the query", "mutation{add(order:{total:1}){id}}", `{}`, 400, "field: total is restricted on type: New"},
		{"in lists", "mutation{put(all:[[{next:{order:{total:1}}}]]){id}}", `{}`, 400, "field: total is restricted on type: New"},
		{"in a default", "mutation($o: New = {total: 1}){add(order:$o){id}}", `{}`, 400, "field: total is restricted on type: New"},
		{"in a variable", "mutation($o: New){add(order:$o){id}}", `{"o":{"total":1}}`, 400, "field: total is restricted on type: New"},
		{"in a variable, twice", "mutation($o: New){add(order:$o){id}}", `{"o":{"total":1},"o":{}}`, 400, "field: total is restricted on type: New"},
		{"deep in a variable", in, `{"i":{"next":{"next":{"all":[{},{"total":1}]}}}}`, 400, "field: total is restricted on type: New"},
		{"in a list of lists", all, `{"i":[[{}],[null,{"order":{"total":1}}]]}`, 400, "field: total is restricted on type: New"},
		{"behind others", in, `{"x":{"total":[{}]},"i":{"order":null,"order":{"total":null}}}`, 400, "field: total is restricted on type: New"},
		{"not at all", in, `{"i":{"order":{},"next":null,"all":7},"total":1,"x":{"total":1}}`, 0, ""},
		{"no variables", in, `null`, 0, ""},
		{"variables that are none", in, `[]`, 400, "wrong type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := exchange("POST", "/", jsonType, `{"query":`+quoted(c.query)+`,"variables":`+c.variables+`}`)
			x.Session = session
			_, e := check(t, g, x)
			expect(t, e, c.status, c.message)
		})
	}
	x := exchange("GET", "/", "", "")
	x.Request.URL.RawQuery = "query=query($o:New){me{id}}&variables={"
	_, e := check(t, g, x)
	expect(t, e, 400, "wrong type")
}

func TestIntrospectionOff(t *testing.T) {
	g := guard(t, api(func(s *grapnel.GraphQL) { s.Introspection = false }))
	for query, status := range map[string]int{"{a}": 0, "{__typename}": 0, "{__schema{types{name}}}": 403, `{a ... {x: __type(name:"A"){name}}}`: 403} {
		_, e := check(t, g, post(query))
		expect(t, e, status, "introspection is disabled")
	}
}
