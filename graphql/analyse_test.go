package graphql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/grapnel-gateway/grapnel"
)

const shop = `
	type Query { me: User  node(id: ID): Node  search: [Hit!]!  orders: [Order!] }
	type Mutation { add(order: New!): Order }
	input New { total: Int! }
	interface Node { id: ID! }
	type User implements Node { id: ID! name: String email: String friends: [User] orders: [Order!] }
	type Order implements Node { id: ID! total: Int owner: User }
	union Hit = User | Order`

// bare is a guard without bounds but for tokens.
func bare(s *grapnel.GraphQL) {
	tokens := s.MaxTokens
	*s = grapnel.GraphQL{MaxTokens: tokens, MaxBatch: 1, Introspection: true}
}

// TestDepth counts as the original documents it: levels of selections, that of
// the leaves among them.
func TestDepth(t *testing.T) {
	g := guard(t, api(bare))
	for query, want := range map[string]int{
		"{a}":                             1,
		"{continents {name}}":             2,
		"{continents {countries {name}}}": 3,
		"{a {b} c {d {e}}}":               3,
		"query A {a {b}} ":                2,
		"mutation {a {b}}":                2,
		"{... {a {... on T {b}}}}":        2,
		"{a {...F}} fragment F on T {b {...G}} fragment G on T {c}": 3,
		"{...F} fragment F on Query {a {b}}":                        2,
		"{a(x: {y: {z: [1, [2]]}}) @include(if: $v)}":               1,
		"# {a{b}}\n{a}":                   1,
		"# x\r{a{b}}":                     2,
		`{a(s: """{"b" \""" # """) {b} }`: 2,
		`{a(s: "\"{") {b}}`:               2,
	} {
		facts, e := check(t, g, post(query))
		if e != nil || facts.Depth != want {
			t.Errorf("%s: %+v, %v; want %d", query, facts, e, want)
		}
	}
}

// TestRefusedQueries: what cannot be run, or what servers could run in two ways.
func TestRefusedQueries(t *testing.T) {
	g := guard(t, api(func(s *grapnel.GraphQL) { s.MaxTokens = 60 }))
	for query, message := range map[string]string{
		"":                              "no query",
		"{":                             "Syntax Error",
		"{}":                            "Syntax Error",
		"{a} }":                         "Syntax Error",
		"{a}\x00":                       "Syntax Error",
		"type Query {a: Int}":           "Syntax Error",
		"{a} type Query {a: Int}":       "Syntax Error",
		"fragment F on T {a}":           "no operation",
		"{a} {b}":                       "only one operation",
		"{a} query B {b}":               "only one operation",
		"query A {a} query A {b{c}}":    "only one operation",
		"query A {a} query B {b}":       "Must provide operation name",
		"{...F}":                        "Unknown fragment",
		"{...F} fragment F on T {...F}": "within itself",
		"{...F} fragment F on T {a {...G}} fragment G on T {... {...F}}": "within itself",
		"{...F} fragment F on T {a} fragment F on T {b{c}}":              "only one fragment",
		`{f(x: ["""a"""" ]) { s } #" ]) {a{b{c}}}`:                       "quotes in a row",
		`{f(x: """a"""""")}`:                         "quotes in a row",
		"{" + strings.Repeat("a ", 100) + "}":        "token limit of 60",
		strings.Repeat("{a", 3000):                   "token limit of 60",
		"{a(x: " + strings.Repeat("[", 3000):         "token limit of 60",
		strings.Repeat("fragment F on T {a} ", 3000): "token limit of 60",
		"{" + strings.Repeat("a @b ", 3000) + "}":    "token limit of 60",
	} {
		_, e := check(t, g, post(query))
		if e == nil || e.Status != 400 || !strings.Contains(e.Message, message) {
			t.Errorf("%.80s: %v; want %s", query, e, message)
		}
	}
	x := exchange("POST", "/", jsonType, `{"query":"query A {a} query B {b}","operationName":"C"}`)
	_, e := check(t, g, x)
	expect(t, e, 400, "Unknown operation")
	x = exchange("POST", "/", jsonType, `{"query":"{a}","operationName":"C"}`)
	_, e = check(t, g, x)
	expect(t, e, 400, "Unknown operation")
}

// TestChosenOperation: what counts is the operation that would be run.
func TestChosenOperation(t *testing.T) {
	g := guard(t, api(func(s *grapnel.GraphQL) { s.MaxDepth = 2 }))
	for name, status := range map[string]int{"A": 0, "B": 403} {
		_, e := check(t, g, exchange("POST", "/", jsonType,
			`{"query":"query A {a} query B {b{c{d}}} fragment X on T {...X}","operationName":"`+name+`"}`))
		expect(t, e, status, "depth limit exceeded")
	}
}

// TestBombs: small queries that stand for large ones.
func TestBombs(t *testing.T) {
	g := guard(t, api(nil))
	_, e := check(t, g, post(strings.Repeat("{a", 21)+strings.Repeat("}", 21)))
	expect(t, e, 403, "depth limit exceeded")

	var laughs strings.Builder // each fragment stands for ten of the next
	laughs.WriteString("{...F0} ")
	for i := range 40 {
		fmt.Fprintf(&laughs, "fragment F%d on T {%s} ", i, strings.Repeat(fmt.Sprintf("...F%d ", i+1), 10))
	}
	laughs.WriteString("fragment F40 on T {a}")
	_, e = check(t, g, post(laughs.String()))
	expect(t, e, 403, "complexity limit exceeded")

	var aliases strings.Builder
	for i := range 31 {
		fmt.Fprintf(&aliases, "a%d: login(try: %d) ", i, i)
	}
	_, e = check(t, g, post("mutation {"+aliases.String()+"}"))
	expect(t, e, 403, "alias limit exceeded")
}

func TestSchema(t *testing.T) {
	g := guard(t, api(func(s *grapnel.GraphQL) { s.Schema = shop }))
	facts, e := check(t, g, post(`{me {...U} node(id: 1) {id ... on Order {total owner {name}}} search {__typename ... on User {email}}}
		fragment U on User {name orders {id}}`))
	if e != nil {
		t.Fatal(e)
	}
	want := map[string][]string{
		"Query": {"me", "node", "search"}, "User": {"email", "name", "orders"},
		"Node": {"id"}, "Order": {"id", "owner", "total"},
	}
	if diff := cmp.Diff(want, facts.Operations[0].Fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for query, message := range map[string]string{
		"{you}":                                `Cannot query field "you" on type "Query".`,
		"{me {total}}":                         `Cannot query field "total" on type "User".`,
		"{search {id}}":                        `Cannot query field "id" on type "Hit".`,
		"{me {name {x}}}":                      `Cannot query field "x" on type "String".`,
		"{me {... on Cat {name}}}":             `Unknown type "Cat".`,
		"{me {...F}} fragment F on Cat {name}": `Unknown type "Cat".`,
		"subscription {me}":                    "not configured to execute subscription",
	} {
		_, e := check(t, g, post(query))
		expect(t, e, 400, message)
	}
	_, e = check(t, g, post("{__schema {types {name fields {name}}} __type(name: \"User\") {kind}}"))
	expect(t, e, 0, "")
	_, e = check(t, g, post("mutation {add(order: {total: 1}) {id}}"))
	expect(t, e, 0, "")
}

// A node is a selection of a random query.
type node struct {
	alias, name string
	below       []node
	spread      int // of a fragment, where name is empty
}

func text(b *strings.Builder, nodes []node) {
	b.WriteString("{")
	for _, n := range nodes {
		if n.name == "" {
			fmt.Fprintf(b, "...F%d ", n.spread)
			continue
		}
		if n.alias != "" {
			b.WriteString(n.alias + ": ")
		}
		b.WriteString(n.name + " ")
		if len(n.below) > 0 {
			text(b, n.below)
		}
	}
	b.WriteString("}")
}

// expand measures by writing out every fragment, every time.
func expand(nodes []node, fragments [][]node) (depth, fields, aliases int) {
	for _, n := range nodes {
		below, own := n.below, 1
		if n.name == "" {
			below, own = fragments[n.spread], 0
		}
		d, f, a := expand(below, fragments)
		depth, fields, aliases = max(depth, d+own), fields+f+own, aliases+a
		if n.alias != "" {
			aliases++
		}
	}
	return depth, fields, aliases
}

// nodes draws selections that spread the fragments from first on.
func nodes(t *rapid.T, deep, first, fragments int) []node {
	out := make([]node, rapid.IntRange(1, 4).Draw(t, "width"))
	for i := range out {
		if first < fragments && rapid.IntRange(0, 3).Draw(t, "spread") == 0 {
			out[i].spread = rapid.IntRange(first, fragments-1).Draw(t, "fragment")
			continue
		}
		out[i].name = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
		if rapid.Bool().Draw(t, "renamed") {
			out[i].alias = "x"
		}
		if deep > 0 && rapid.Bool().Draw(t, "below") {
			out[i].below = nodes(t, deep-1, first, fragments)
		}
	}
	return out
}

// TestAgainstExpansion: what is counted is what writing the fragments out and
// counting comes to.
func TestAgainstExpansion(t *testing.T) {
	g := guard(t, api(bare))
	rapid.Check(t, func(r *rapid.T) {
		fragments := make([][]node, rapid.IntRange(0, 4).Draw(r, "fragments"))
		for i := range fragments {
			fragments[i] = nodes(r, 2, i+1, len(fragments))
		}
		query := nodes(r, 3, 0, len(fragments))
		var b strings.Builder
		text(&b, query)
		for i, f := range fragments {
			fmt.Fprintf(&b, " fragment F%d on T ", i)
			text(&b, f)
		}
		facts, e := check(t, g, post(b.String()))
		if e != nil {
			r.Fatalf("%s: %v", b.String(), e)
		}
		depth, fields, aliases := expand(query, fragments)
		if facts.Depth != depth || facts.Complexity != fields || facts.Aliases != aliases {
			r.Errorf("%s: %d, %d, %d; want %d, %d, %d", b.String(), facts.Depth, facts.Complexity, facts.Aliases, depth, fields, aliases)
		}
		deepest := 0
		for _, root := range facts.Operations[0].Roots {
			deepest = max(deepest, root.Depth+1)
		}
		if deepest != depth {
			r.Errorf("%s: the deepest root field makes %d of %d", b.String(), deepest, depth)
		}
	})
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"{a}", "query Q($a: [Int!]! = [1]) @x {a(b: {c: $a}) {...F ... on T {d}}} fragment F on T {__typename}",
		`{me {...U} node(id: """x""") {id}} fragment U on User {friends {name ...U}}`, "subscription {a} # \r{b}", "{__schema {types {name}}}",
	} {
		f.Add(seed)
	}
	plain, typed := guard(f, api(bare)), guard(f, api(func(s *grapnel.GraphQL) { s.Schema = shop }))
	f.Fuzz(func(t *testing.T, query string) {
		facts, e := check(t, plain, post(query))
		if e != nil && e.Status >= 500 {
			t.Fatalf("%q: %v", query, e)
		}
		if e == nil && (facts.Depth < 1 || facts.Complexity < facts.Depth || facts.Aliases > facts.Complexity) {
			t.Errorf("%q: %+v", query, facts)
		}
		if _, second := check(t, typed, post(query)); second == nil && e != nil {
			t.Errorf("%q: a schema makes it valid: %v", query, e)
		}
	})
}

func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{"query":"{a}"}`, `[{"query":"{a}","variables":{"x":[1]}}]`, `{"query":"{a}","extensions":{"persistedQuery":{}}}`, `{"query":"{a}","query":"{b}"}`} {
		f.Add(seed)
	}
	g := guard(f, api(func(s *grapnel.GraphQL) { s.MaxBatch = 4 }))
	f.Fuzz(func(t *testing.T, body string) {
		if facts, e := check(t, g, exchange("POST", "/", jsonType, body)); e == nil && len(facts.Operations) == 0 {
			t.Errorf("%q: passed, and asks for nothing", body)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	queries := map[string]string{
		"small": "query Me { me { id name } }",
		"large": "{" + strings.Repeat("me { id name friends { ...U } orders { id total owner { ...U } } } ", 40) + "} fragment U on User { id name email }",
	}
	for name, query := range queries {
		for kind, schema := range map[string]string{"schema": shop, "plain": ""} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				g := guard(b, api(func(s *grapnel.GraphQL) { s.Schema = schema }))
				x := post(query)
				b.SetBytes(int64(len(query)))
				b.ReportAllocs()
				for b.Loop() {
					x.GraphQL = nil
					if _, e := check(b, g, x); e != nil {
						b.Fatal(e)
					}
				}
			})
		}
	}
	b.Run("unchanged", func(b *testing.B) {
		g, x := guard(b, api(nil)), post(queries["small"])
		b.ReportAllocs()
		for b.Loop() {
			if _, e := check(b, g, x); e != nil {
				b.Fatal(e)
			}
		}
	})
}
