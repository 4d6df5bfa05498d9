package graphql_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/graphql"
)

// api is one that speaks GraphQL, with what change makes of the defaults.
func api(change func(*grapnel.GraphQL)) *grapnel.API {
	a := &grapnel.API{ID: "a"}
	a.GraphQL = &grapnel.GraphQL{}
	a.GraphQL.SetDefaults()
	if change != nil {
		change(a.GraphQL)
	}
	return a
}

func guard(t testing.TB, a *grapnel.API) *graphql.Guard {
	t.Helper()
	g, err := graphql.New(a)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func served(*grapnel.Exchange) (*http.Response, error) {
	return grapnel.Reply(http.StatusOK, nil, nil), nil
}

func exchange(method, target, contentType, body string) *grapnel.Exchange {
	r := httptest.NewRequest(method, target, nil)
	if body != "" {
		r = httptest.NewRequest(method, target, strings.NewReader(body))
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return &grapnel.Exchange{Request: r, Log: slog.New(slog.DiscardHandler)}
}

// post is a query in the usual form.
func post(query string) *grapnel.Exchange {
	text, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		panic(err)
	}
	return exchange(http.MethodPost, "/", "application/json", string(text))
}

// check returns the facts, or the refusal.
func check(t testing.TB, g *graphql.Guard, x *grapnel.Exchange) (*grapnel.GraphQLFacts, *grapnel.Error) {
	t.Helper()
	_, err := g.Check()(served)(x)
	if err == nil {
		return x.GraphQL, nil
	}
	e, ok := errors.AsType[*grapnel.Error](err)
	if !ok {
		t.Fatalf("%v is not a refusal", err)
	}
	return nil, e
}

// expect checks a refusal; a status of 0 wants none.
func expect(t *testing.T, e *grapnel.Error, status int, message string) {
	t.Helper()
	switch {
	case e == nil && status != 0:
		t.Errorf("passed; want %d %q", status, message)
	case e != nil && (e.Status != status || !strings.Contains(e.Message, message)):
		t.Errorf("refused with %d %q; want %d %q", e.Status, e.Message, status, message)
	}
}

// TestUnneededIsNil: an API that does not speak GraphQL pays nothing.
func TestUnneededIsNil(t *testing.T) {
	g := guard(t, &grapnel.API{ID: "a"})
	if g != nil || g.Facts() != nil || g.Check() != nil {
		t.Error("a middleware is not nil")
	}
	if guard(t, api(nil)).Facts() != nil {
		t.Error("facts are read for nobody")
	}
}

func TestBadSchema(t *testing.T) {
	if _, err := graphql.New(api(func(g *grapnel.GraphQL) { g.Schema = "type Query {" })); err == nil {
		t.Error("it was taken")
	}
}

// TestFacts: what hooks are told.
func TestFacts(t *testing.T) {
	const query = `query Q($n: Int) { me: user(id: $n) { ...U friends { n: name ... on Bot { model } } } ...R __typename }
		fragment U on User { name email } fragment R on Query { user(id: 2) { name } news } mutation M { add }`
	x := exchange(http.MethodPost, "/", "application/json; charset=utf-8",
		`{"query": `+quoted(query)+`, "operationName": "Q", "variables": {"n": 1}}`)
	facts, e := check(t, guard(t, api(nil)), x)
	if e != nil {
		t.Fatal(e)
	}
	want := []grapnel.GraphQLOperation{{
		Kind: "query", Name: "Q", Type: "Query", Depth: 3, Complexity: 10, Aliases: 2,
		Roots:  []grapnel.GraphQLRoot{{Name: "__typename"}, {Name: "news"}, {Name: "user", Depth: 2}},
		Fields: map[string][]string{"Query": {"news", "user"}, "User": {"email", "name"}, "Bot": {"model"}},
		Inputs: map[string][]string{},
	}}
	if diff := cmp.Diff(want, facts.Operations); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if facts.Depth != 3 || facts.Complexity != 10 || facts.Aliases != 2 {
		t.Errorf("over all: %+v", facts)
	}
	if body, err := io.ReadAll(x.Request.Body); err != nil || !strings.Contains(string(body), "operationName") {
		t.Errorf("upstream gets %q, %v", body, err)
	}
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestFactsForHooks: the hooks before the check learn what can be known, and a
// request that they still may change is not refused before.
func TestFactsForHooks(t *testing.T) {
	a := api(nil)
	a.Hooks.Pre = []grapnel.Hook{{}}
	g := guard(t, a)
	for query, known := range map[string]bool{"{a}": true, "{a": false} {
		x, asked := post(query), false
		_, err := g.Facts()(func(x *grapnel.Exchange) (*http.Response, error) {
			asked = true
			if (x.GraphQL != nil) != known {
				t.Errorf("%s: %+v", query, x.GraphQL)
			}
			return served(x)
		})(x)
		if err != nil || !asked {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestReadAgain: facts are those of the request as it is, whatever a hook made of
// it since.
func TestReadAgain(t *testing.T) {
	g := guard(t, api(func(s *grapnel.GraphQL) { s.MaxDepth = 2 }))
	x := post("{a{b}}")
	first, e := check(t, g, x)
	if e != nil {
		t.Fatal(e)
	}
	if second, _ := check(t, g, x); second != first {
		t.Error("the same request was read twice")
	}
	for name, change := range map[string]func(*grapnel.Exchange){
		"body":         func(x *grapnel.Exchange) { x.SetBody([]byte(`{"query":"{a{b{c}}}"}`)) },
		"query":        func(x *grapnel.Exchange) { x.Request.URL.RawQuery = "query={a{b{c}}}" },
		"rewritten":    func(x *grapnel.Exchange) { u := *x.Request.URL; u.RawQuery = "query={a}"; x.Rewrite = &u },
		"method":       func(x *grapnel.Exchange) { x.Request.Method = "PUT" },
		"other method": func(x *grapnel.Exchange) { x.RewriteMethod = "GET" },
		"type":         func(x *grapnel.Exchange) { x.Request.Header.Set("Content-Type", "text/plain") },
		"two types":    func(x *grapnel.Exchange) { x.Request.Header.Add("Content-Type", "application/json") },
		"encoding":     func(x *grapnel.Exchange) { x.Request.Header.Set("Content-Encoding", "gzip") },
		"upgrade":      func(x *grapnel.Exchange) { x.Request.Header.Set("Upgrade", "websocket") },
	} {
		t.Run(name, func(t *testing.T) {
			x := post("{a{b}}")
			if _, e := check(t, g, x); e != nil {
				t.Fatal(e)
			}
			change(x)
			if _, e := check(t, g, x); e == nil {
				t.Error("passed")
			}
		})
	}
}

// TestBodyThatBreaksOff: what was read of it is never taken for the whole.
func TestBodyThatBreaksOff(t *testing.T) {
	a := api(nil)
	a.Hooks.Pre = []grapnel.Hook{{}}
	g := guard(t, a)
	for name, m := range map[string]grapnel.Middleware{"facts": g.Facts(), "check": g.Check()} {
		x := post("{a}")
		x.Request.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"que`), broken{}))
		_, err := m(served)(x)
		e, ok := errors.AsType[*grapnel.Error](err)
		if !ok || e.Status != http.StatusBadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
