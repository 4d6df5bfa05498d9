package fleet

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// query posts a GraphQL query.
func (g *gateway) query(t *testing.T, path, credential, query string) reply {
	t.Helper()
	body, err := json.Marshal(object{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	return g.post(t, path, credential, string(body))
}

func (g *gateway) post(t *testing.T, path, credential, body string) reply {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+g.Addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", credential)
	r.Header.Set("Content-Type", "application/json")
	got, err := send(g.client, r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// expect fails unless the reply has the status and its body the text.
func (r reply) expect(t *testing.T, status int, text string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.body, text) {
		t.Errorf("%d %s, want %d %s", r.status, r.body, status, text)
	}
}

const (
	two      = "{me{name}}"
	three    = "{me{friends{name}}}"
	tooDeep  = "depth limit exceeded"
	bomb     = "{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a}}}}}}}}}}}}}}}}}}}}}}"
	cycle    = "{...A} fragment A on Query{...B} fragment B on Query{...A}"
	doubling = "{...A} fragment A on T{...B ...B ...B ...B} fragment B on T{...C ...C ...C ...C} fragment C on T{...D ...D ...D ...D} " +
		"fragment D on T{...E ...E ...E ...E} fragment E on T{...F ...F ...F ...F} fragment F on T{a b c d}"
)

// graphAPI is an API that speaks GraphQL.
func graphAPI(id string, settings object, auth ...object) object {
	a := api(id, auth...)
	a["graphql"] = settings
	return a
}

// TestGraphQLBounds: what no honest client sends does not reach the upstream,
// whoever asks.
func TestGraphQLBounds(t *testing.T) {
	s := newSite(t, "memory:", graphAPI("graph", object{"max_batch": 2, "introspection": false}))
	g := s.start(t)
	g.query(t, "/graph/", "", three).expect(t, 200, "")
	if _, body := s.upstream.seen(); body != `{"query":"`+three+`"}` {
		t.Errorf("the upstream got %s", body)
	}
	g.post(t, "/graph/", "", `[{"query":"{a}"},{"query":"{b}"}]`).expect(t, 200, "")
	g.get(t, "/graph/?query="+url.QueryEscape(two), "").expect(t, 200, "")
	passed := s.upstream.hits.Load()

	g.query(t, "/graph/", "", bomb).expect(t, 403, tooDeep)
	g.get(t, "/graph/?query="+url.QueryEscape(bomb), "").expect(t, 403, tooDeep)
	g.post(t, "/graph/", "", `[{"query":"{a}"},{"query":"`+bomb+`"}]`).expect(t, 403, tooDeep)
	g.query(t, "/graph/", "", doubling).expect(t, 403, "complexity limit exceeded")
	g.query(t, "/graph/", "", "{"+strings.Repeat("x:a ", 31)+"}").expect(t, 403, "alias limit exceeded")
	g.query(t, "/graph/", "", cycle).expect(t, 400, `{"errors":[{"message":"Cannot spread fragment`)
	g.query(t, "/graph/", "", strings.Repeat("{a", 1e6)).expect(t, 400, "Syntax Error")
	g.query(t, "/graph/", "", "{"+strings.Repeat("a ", 1e6)+"}").expect(t, 400, "token limit")
	g.query(t, "/graph/", "", "{a").expect(t, 400, `{"errors":[{"message":"Syntax Error`)
	g.query(t, "/graph/", "", "{__schema{types{name}}}").expect(t, 403, "introspection is disabled")
	g.post(t, "/graph/", "", `[{"query":"{a}"},{"query":"{a}"},{"query":"{a}"}]`).expect(t, 403, "batch limit exceeded")
	g.post(t, "/graph/", "", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`).expect(t, 403, "PersistedQueryNotSupported")
	g.post(t, "/graph/?query="+url.QueryEscape(bomb), "", `{"query":"{a}"}`).expect(t, 400, "body")
	r, err := http.NewRequest(http.MethodGet, "http://"+g.Addr+"/graph/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	switched, err := send(g.client, r)
	if err != nil {
		t.Fatal(err)
	}
	switched.expect(t, 403, "Subscriptions over WebSocket are not allowed")
	if now := s.upstream.hits.Load(); now != passed {
		t.Errorf("%d refused requests reached the upstream", now-passed)
	}

	// Where h2c is among the protocols there is no switch at all.
	r.Header["Upgrade"], r.URL.RawQuery = []string{"websocket", "h2c"}, "query={a}"
	if switched, err = send(g.client, r); err != nil {
		t.Fatal(err)
	}
	switched.expect(t, 200, "")
	if seen, _ := s.upstream.seen(); seen.Header["Upgrade"] != nil || seen.Header["Connection"] != nil {
		t.Errorf("the upstream was asked to switch to %q", seen.Header["Upgrade"])
	}
}

// TestGraphQLKeys: the depth that a key or its policy allows [L-3, S-1, S-10].
func TestGraphQLKeys(t *testing.T) {
	s := newSite(t, "memory:", graphAPI("graph", object{"schema": "type Query {me: User} type User {name: String email: String friends: [User]}"}, tokenAuth()))
	s.config["policies"] = filepath.Join(s.dir, "policies.json")
	write(t, s.config["policies"].(string), object{"shallow": object{
		"org_id": org, "active": true, "max_query_depth": 2, "quota_max": -1, "access_rights": rights("graph"),
	}})
	g := s.start(t)
	free := g.createKey(t, object{"quota_max": -1, "max_query_depth": -1, "access_rights": rights("graph")})
	g.query(t, "/graph/", free, three).expect(t, 200, "")
	two3 := func(key string) {
		t.Helper()
		g.query(t, "/graph/", key, two).expect(t, 200, "")
		refused := g.query(t, "/graph/", key, three)
		if refused.expect(t, 403, tooDeep); refused.refusal() != tooDeep {
			t.Errorf("the body is not the original's: %s", refused.body)
		}
	}
	two3(g.createKey(t, object{"quota_max": -1, "max_query_depth": 2, "access_rights": rights("graph")}))
	two3(g.createKey(t, object{"apply_policies": []string{"shallow"}}))
	own := rights("graph")
	own["graph"].(object)["limit"] = object{"quota_max": -1, "max_query_depth": 2}
	two3(g.createKey(t, object{"quota_max": -1, "max_query_depth": 9, "access_rights": own}))

	hidden := rights("graph")
	hidden["graph"].(object)["restricted_types"] = []object{{"name": "User", "fields": []string{"email"}}}
	key := g.createKey(t, object{"quota_max": -1, "access_rights": hidden})
	g.query(t, "/graph/", key, three).expect(t, 200, "")
	g.query(t, "/graph/", key, "{me{friends{email}}}").expect(t, 400, `{"errors":[{"message":"field: email is restricted on type: User"}]}`)
}

// TestGraphQLPlugins: a plugin sets the depth, hooks see it, and what a hook makes
// of a query is checked again [L-3].
func TestGraphQLPlugins(t *testing.T) {
	graph := graphAPI("graph", object{}, pluginAuth("login", nil))
	one := func(name string) []object { return []object{{"plugin": "p", "hook": name}} }
	graph["hooks"] = object{"pre": one("before"), "post_key_auth": one("known"), "post": one("last")}
	s := newSite(t, "memory:", graph)
	s.plugin.on("login", accept(func() *coprocess.SessionState {
		return &coprocess.SessionState{QuotaMax: -1, MaxQueryDepth: 2}
	}))
	s.plugin.on("known", func(o *coprocess.Object) {
		if depth := o.GetSession().GetMaxQueryDepth(); depth != 2 {
			t.Errorf("PostKeyAuth sees the depth %d", depth)
		}
	})
	g := s.start(t)
	g.query(t, "/graph/", "someone", two).expect(t, 200, "")
	g.query(t, "/graph/", "someone", three).expect(t, 403, tooDeep)
	if n := s.plugin.called("last"); n != 1 {
		t.Errorf("Post was asked %d times: it never sees what is refused", n)
	}

	rewrite := func(query string) hook {
		return func(o *coprocess.Object) { o.Request.RawBody = []byte(`{"query":"` + query + `"}`) }
	}
	s.plugin.on("before", rewrite(two))
	g.post(t, "/graph/", "someone", "what only the hook understands").expect(t, 200, "")
	s.plugin.on("last", rewrite(three))
	passed := s.upstream.hits.Load()
	g.query(t, "/graph/", "someone", two).expect(t, 403, tooDeep)
	s.plugin.on("last", func(o *coprocess.Object) { o.Request.AddParams = map[string]string{"query": three} })
	g.query(t, "/graph/", "someone", two).expect(t, 400, "body")
	if s.upstream.hits.Load() != passed {
		t.Error("it reached the upstream")
	}
}

// TestGraphQLDefinition: a Classic definition of a GraphQL proxy [7.2].
func TestGraphQLDefinition(t *testing.T) {
	graph := object{
		"enabled": true, "execution_mode": "proxyOnly", "version": "2",
		"schema": "type Query {me: User} type User {name: String friends: [User]}",
	}
	s := newTykSite(t, storetest.Redis(t), nil, definition("graph", object{"graphql": graph}))
	g := s.start(t)
	key := g.createKey(t, object{"quota_max": -1, "max_query_depth": 2, "access_rights": rights("graph")})
	g.query(t, "/graph/", key, two).expect(t, 200, "")
	g.query(t, "/graph/", key, three).expect(t, 403, tooDeep)
	g.query(t, "/graph/", key, "{you}").expect(t, 400, "errors")
}
