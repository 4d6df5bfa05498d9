package graphql_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel"
)

const jsonType = "application/json"

// TestBodies: what is read of a POST request, and what two servers could read in
// two ways.
func TestBodies(t *testing.T) {
	g := guard(t, api(nil))
	for _, c := range []struct {
		name, contentType, body string
		status                  int
		message                 string
	}{
		{"JSON", jsonType, `{"query":"{a}"}`, 0, ""},
		{"all keys", jsonType, `{"query":"query Q {a}","operationName":"Q","variables":{},"extensions":{"a":1}}`, 0, ""},
		{"nulls", jsonType, ` {"query":"{a}","operationName":null,"variables":null,"extensions":null} `, 0, ""},
		{"charset", `application/json; charset="UTF-8"`, `{"query":"{a}"}`, 0, ""},
		{"escaped key", jsonType, `{"qu\u0065ry":"{a}"}`, 0, ""},
		{"plain", "application/graphql", `{a}`, 0, ""},
		{"a batch of one", jsonType, `[{"query":"{a}"}]`, 0, ""},

		{"nothing", jsonType, ``, 400, "not a JSON object"},
		{"plain nothing", "application/graphql", ` `, 400, "no query"},
		{"null", jsonType, `null`, 400, "not a JSON object"},
		{"text", jsonType, `"{a}"`, 400, "not a JSON object"},
		{"no query", jsonType, `{"operationName":"Q"}`, 400, "no query"},
		{"null query", jsonType, `{"query":null}`, 400, "no query"},
		{"query of another type", jsonType, `{"query":["{a}"]}`, 400, "wrong type"},
		{"name of another type", jsonType, `{"query":"{a}","operationName":1}`, 400, "wrong type"},
		{"extensions of another type", jsonType, `{"query":"{a}","extensions":[]}`, 400, "wrong type"},
		{"broken", jsonType, `{"query":"{a}"`, 400, "not a JSON object"},
		{"broken string", jsonType, `{"query":"{a}`, 400, "not a JSON object"},
		{"two bodies", jsonType, `{"query":"{a}"}{"query":"{a{b}}"}`, 400, "not a JSON object"},
		{"twice", jsonType, `{"query":"{a}","query":"{a{b}}"}`, 400, "given twice"},
		{"twice, escaped", jsonType, `{"query":"{a}","qu\u0065ry":"{a{b}}"}`, 400, "given twice"},
		{"other case", jsonType, `{"query":"{a}","Query":"{a{b}}"}`, 400, "unknown"},
		{"another key", jsonType, `{"query":"{a}","documentId":"x"}`, 400, "unknown"},
		{"nested bomb", jsonType, `{"query":"{a}","variables":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, 400, "not a JSON object"},
		{"not UTF-8", jsonType, "{\"query\":\"{a(s:\\\"\xff\\\")}\"}", 400, "not UTF-8"},
		{"byte order mark", jsonType, "\ufeff" + `{"query":"{a}"}`, 400, "not a JSON object"},

		{"no type", "", `{"query":"{a}"}`, 415, "application/json"},
		{"form", "application/x-www-form-urlencoded", `query={a}`, 415, "application/json"},
		{"multipart", "multipart/form-data; boundary=x", "--x--", 415, "application/json"},
		{"text", "text/plain", `{"query":"{a}"}`, 415, "application/json"},
		{"JSON of another kind", "application/json+x", `{"query":"{a}"}`, 415, "application/json"},
		{"UTF-16", "application/json; charset=utf-16", "{}", 415, "UTF-8"},
		{"two charsets", "application/json; charset=utf-8; charset=utf-16", `{"query":"{a}"}`, 415, "application/json"},

		{"persisted", jsonType, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`, 403, "PersistedQueryNotSupported"},
		{"persisted beside a query", jsonType, `{"query":"{a}","extensions":{"persistedQuery":{}}}`, 403, "PersistedQueryNotSupported"},
		{"persisted in another case", jsonType, `{"query":"{a}","extensions":{"PersistedQuery":{}}}`, 403, "PersistedQueryNotSupported"},
		{"two in a batch", jsonType, `[{"query":"{a}"},{"query":"{a}"}]`, 403, "batch limit exceeded"},
		{"an endless batch", jsonType, `[{"query":"{a}"},` + strings.Repeat("[", 1000), 403, "batch limit exceeded"},
		{"nobody in a batch", jsonType, `[]`, 400, "no query"},
		{"broken batch", jsonType, `[{"query":"{a}"}`, 400, "not a JSON object"},
		{"batch and more", jsonType, `[{"query":"{a}"}] {}`, 400, "not a JSON object"},
		{"batch in a batch", jsonType, `[[{"query":"{a}"}]]`, 400, "not a JSON object"},
		{"persisted in a batch", jsonType, `[{"extensions":{"persistedQuery":{}}}]`, 403, "PersistedQueryNotSupported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, e := check(t, g, exchange(http.MethodPost, "/", c.contentType, c.body))
			expect(t, e, c.status, c.message)
		})
	}
}

// TestURLs: what is read of the URL, and by which method.
func TestURLs(t *testing.T) {
	g := guard(t, api(nil))
	q := url.QueryEscape
	for _, c := range []struct {
		name, method, query, body string
		status                    int
		message                   string
	}{
		{"GET", "GET", "query=" + q("{a}") + "&variables={}&key=1", "", 0, ""},
		{"HEAD", "HEAD", "query=" + q("{a}"), "", 0, ""},
		{"a name", "GET", "query=" + q("query A{a} query B{b}") + "&operationName=B", "", 0, ""},
		{"preflight", "OPTIONS", "", "", 0, ""},
		{"POST with a parameter of the gateway", "POST", "key=1", `{"query":"{a}"}`, 0, ""},

		{"no query", "GET", "", "", 400, "no query"},
		{"empty query", "GET", "query=", "", 400, "no query"},
		{"two queries", "GET", "query={a}&query={b}", "", 400, "given twice"},
		{"a list", "GET", "query={a}&query[]={b}", "", 400, "misspelt"},
		{"an object, escaped", "GET", "query={a}&query%5B0%5D={b}", "", 400, "misspelt"},
		{"other case", "GET", "query={a}&Query={b}", "", 400, "misspelt"},
		{"a space before", "GET", "query={a}&+query={b}", "", 400, "misspelt"},
		{"semicolon", "GET", "query={a};query={b}", "", 400, "semicolon"},
		{"bad escape", "GET", "query={a}&b=%zz", "", 400, "cannot be read"},
		{"not UTF-8", "GET", "query=%ff", "", 400, "not UTF-8"},
		{"GET with a body", "GET", "query={a}", `{"query":"{a}"}`, 400, "no body"},
		{"persisted", "GET", "extensions=" + q(`{"persistedQuery":{}}`), "", 403, "PersistedQueryNotSupported"},
		{"a document's id", "GET", "documentId=x", "", 400, "unknown"},
		{"a document's id beside the query", "GET", "query={a}&id=x", "", 400, "unknown"},
		{"extensions that are none", "GET", "query={a}&extensions=x", "", 400, "wrong type"},
		{"query in URL and body", "POST", "query={b}", `{"query":"{a}"}`, 400, "into its body"},
		{"name in the URL", "POST", "operationName=B", `{"query":"query A {a}"}`, 400, "into its body"},
		{"id in the URL", "POST", "documentId=B", `{"query":"query A {a}"}`, 400, "into its body"},
		{"PUT", "PUT", "", `{"query":"{a}"}`, 405, "GET or POST"},
		{"preflight with a query", "OPTIONS", "query={a}", "", 400, "asks for nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := exchange(c.method, "/", jsonType, c.body)
			x.Request.URL.RawQuery = c.query
			_, e := check(t, g, x)
			expect(t, e, c.status, c.message)
		})
	}
}

func TestCompressedBody(t *testing.T) {
	for encoding, status := range map[string]int{"identity": 0, "gzip": 415} {
		x := post("{a}")
		x.Request.Header.Set("Content-Encoding", encoding)
		_, e := check(t, guard(t, api(nil)), x)
		expect(t, e, status, "plain UTF-8")
	}
}

// TestBatch: bounds hold for a batch as a whole.
func TestBatch(t *testing.T) {
	g := guard(t, api(func(s *grapnel.GraphQL) { s.MaxBatch, s.MaxComplexity, s.MaxAliases = 3, 5, 2 }))
	batch := func(query string, n int) *grapnel.Exchange {
		one := fmt.Sprintf(`{"query":%s}`, quoted(query))
		return exchange("POST", "/", jsonType, "["+strings.TrimSuffix(strings.Repeat(one+",", n), ",")+"]")
	}
	facts, e := check(t, g, batch("{a}", 3))
	if e != nil || len(facts.Operations) != 3 || facts.Complexity != 3 || facts.Depth != 1 {
		t.Errorf("%+v, %v", facts, e)
	}
	for _, c := range []struct {
		query   string
		n       int
		message string
	}{{"{a}", 4, "batch"}, {"{a{b}}", 3, "complexity"}, {"{x:a}", 3, "alias"}} {
		_, e := check(t, g, batch(c.query, c.n))
		expect(t, e, 403, c.message+" limit exceeded")
	}
}

// TestPersistedQueries: where they are allowed they pass, but for callers whose
// queries have to be checked.
func TestPersistedQueries(t *testing.T) {
	g := guard(t, api(func(s *grapnel.GraphQL) { s.PersistedQueries, s.MaxDepth = true, 1 }))
	hash := `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}`
	for _, c := range []struct {
		name, body string
		depth      int // of the key
		status     int
		message    string
	}{
		{"hash", hash + `}`, 0, 0, ""},
		{"unlimited key", hash + `}`, -1, 0, ""},
		{"id", `{"documentId":"x"}`, 0, 0, ""},
		{"hash and query", hash + `,"query":"{a}"}`, 0, 0, ""},
		{"hash and a deep query", hash + `,"query":"{a{b}}"}`, 0, 403, "depth limit exceeded"},
		{"nothing", `{}`, 0, 400, "no query"},
		{"other case", hash + `,"QUERY":"{a}"}`, 0, 400, "unknown"},
		{"hash by a limited key", hash + `}`, 5, 403, "only queries that can be checked"},
		{"id beside a query by a limited key", `{"query":"{a}","id":"x"}`, 5, 403, "only queries that can be checked"},
		{"query by a limited key", `{"query":"{a}"}`, 5, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := exchange("POST", "/", jsonType, c.body)
			x.Session = &grapnel.Session{MaxQueryDepth: c.depth}
			_, e := check(t, g, x)
			expect(t, e, c.status, c.message)
		})
	}
}

// TestUpgrade: what is asked over WebSocket is not seen.
func TestUpgrade(t *testing.T) {
	off, on := guard(t, api(nil)), guard(t, api(func(s *grapnel.GraphQL) { s.Subscriptions = true }))
	switching := func(protocol, method, target, body string) *grapnel.Exchange {
		x := exchange(method, target, jsonType, body)
		x.Request.Header.Set("Upgrade", protocol)
		return x
	}
	_, e := check(t, off, switching("websocket", "GET", "/", ""))
	expect(t, e, 403, "Subscriptions")
	_, e = check(t, on, switching("websocket", "GET", "/", ""))
	expect(t, e, 0, "")
	_, e = check(t, on, switching("websocket", "POST", "/", `{"query":"{a}"}`))
	expect(t, e, 400, "asks for nothing itself")
	_, e = check(t, on, switching("websocket", "GET", "/?query={a}", ""))
	expect(t, e, 400, "asks for nothing itself")
	_, e = check(t, off, switching("h2c", "POST", "/", `{"query":"{a}"}`)) // which the upstream stage drops
	expect(t, e, 0, "")
	_, e = check(t, off, switching("h2c", "POST", "/", `{"query":"{a"}`))
	expect(t, e, 400, "Syntax Error")
	limited := switching("websocket", "GET", "/", "")
	limited.Session = &grapnel.Session{MaxQueryDepth: 3}
	_, e = check(t, on, limited)
	expect(t, e, 403, "only queries that can be checked")
}
