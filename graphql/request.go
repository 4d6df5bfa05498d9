package graphql

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/grapnel-gateway/grapnel"
)

// sourceOf is what of the request, as it will go upstream, says what is asked.
func sourceOf(x *grapnel.Exchange, body []byte) grapnel.GraphQLSource {
	u := x.Request.URL
	if x.Rewrite != nil {
		u = x.Rewrite
	}
	h := x.Request.Header
	return grapnel.GraphQLSource{
		Method: cmp.Or(x.RewriteMethod, x.Request.Method), Query: u.RawQuery,
		Type: strings.Join(h["Content-Type"], ", "), Encoding: strings.Join(h["Content-Encoding"], ", "),
		Upgrade: strings.Join(h["Upgrade"], ", "), Body: body,
	}
}

// A request is one operation as a client asks for it.
type request struct {
	query, name string          // empty is none
	variables   json.RawMessage // nil is none
	opaque      bool            // the upstream may run something else than query
}

// requests finds what is asked for.
type requests struct{ grapnel.GraphQL }

func (r requests) asked(s grapnel.GraphQLSource) ([]request, error) {
	params, err := r.params(s.Query)
	if err != nil {
		return nil, err
	}
	if s.Upgrade != "" && !hasToken(s.Upgrade, "h2c") { // which goes no further
		return r.upgrade(s, params)
	}
	switch s.Method {
	case http.MethodGet, http.MethodHead:
		if len(s.Body) > 0 {
			return nil, malformed("A %s request has no body.", s.Method)
		}
		return r.single(params)
	case http.MethodPost:
		if len(params) > 0 {
			return nil, malformed("The parameters of a POST request belong into its body.")
		}
		return r.posted(s)
	case http.MethodOptions:
		if len(s.Body) > 0 || len(params) > 0 {
			return nil, malformed("An OPTIONS request asks for nothing.")
		}
		return nil, nil
	}
	e := refused(http.StatusMethodNotAllowed, "GraphQL requests are sent with GET or POST.")
	e.Header = http.Header{"Allow": {"GET, POST"}}
	return nil, e
}

// upgrade passes a switch to WebSocket, where it may be, and nothing beside it.
func (r requests) upgrade(s grapnel.GraphQLSource, params map[string]json.RawMessage) ([]request, error) {
	if !r.Subscriptions {
		return nil, refused(http.StatusForbidden, "Subscriptions over WebSocket are not allowed.")
	}
	if s.Method != http.MethodGet || len(s.Body) > 0 || len(params) > 0 {
		return nil, malformed("A request that switches to another protocol asks for nothing itself.")
	}
	return []request{{opaque: true}}, nil
}

func hasToken(list, token string) bool {
	for v := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(v), token) {
			return true
		}
	}
	return false
}

// The names of what a request may say, and by which names servers take queries
// that they keep.
const (
	keyQuery      = "query"
	keyName       = "operationName"
	keyVariables  = "variables"
	keyExtensions = "extensions"
	keyPersisted  = "persistedQuery" // within extensions
)

func isKey(name string) bool {
	switch name {
	case keyQuery, keyName, keyVariables, keyExtensions:
		return true
	}
	return false
}

// resembles reports whether some server may take the name for one of the keys:
// in other cases, or as an element of a list or an object.
func resembles(name string) bool {
	name, _, _ = strings.Cut(name, "[")
	name = strings.TrimSpace(name)
	return slices.ContainsFunc([]string{keyQuery, keyName, keyVariables, keyExtensions}, func(key string) bool { return strings.EqualFold(name, key) })
}

func namesKept(name string) bool {
	name, _, _ = strings.Cut(name, "[")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "id", "documentid", "doc_id", "queryid", "query_id":
		return true
	}
	return false
}

// params are the URL's parameters, as far as they are GraphQL's, in the form
// that they have in a JSON body. Others are none of its business.
func (r requests) params(query string) (map[string]json.RawMessage, error) {
	if query == "" {
		return nil, nil
	}
	if strings.Contains(query, ";") {
		return nil, malformed("The URL's parameters cannot be read: a semicolon is written as %%3B.")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, malformed("The URL's parameters cannot be read.")
	}
	out := map[string]json.RawMessage{}
	for name, all := range values {
		switch known := isKey(name); {
		case !known && resembles(name):
			return nil, malformed("The parameter %q is misspelt.", name)
		case known && len(all) > 1:
			return nil, malformed("The parameter %q is given twice.", name)
		case !known && !namesKept(name):
			continue
		}
		if name == keyVariables || name == keyExtensions {
			out[name] = json.RawMessage(all[0])
			continue
		}
		if !utf8.ValidString(all[0]) {
			return nil, malformed("The parameter %q is not UTF-8.", name)
		}
		text, err := json.Marshal(all[0])
		if err != nil {
			return nil, err
		}
		out[name] = text
	}
	return out, nil
}

// posted reads the body of a POST request.
func (r requests) posted(s grapnel.GraphQLSource) ([]request, error) {
	kind, params, err := mime.ParseMediaType(s.Type)
	charset := params["charset"]
	switch {
	case err != nil, kind != "application/json" && kind != "application/graphql":
		return nil, refused(http.StatusUnsupportedMediaType, "A GraphQL request is application/json or application/graphql.")
	case charset != "" && !strings.EqualFold(charset, "utf-8"), s.Encoding != "" && !strings.EqualFold(s.Encoding, "identity"):
		return nil, refused(http.StatusUnsupportedMediaType, "A GraphQL request is plain UTF-8.")
	case !utf8.Valid(s.Body):
		return nil, malformed("The body is not UTF-8.")
	case kind == "application/graphql":
		if len(bytes.TrimSpace(s.Body)) == 0 {
			return nil, errNothing()
		}
		return []request{{query: string(s.Body)}}, nil
	}
	if b := bytes.TrimLeft(s.Body, " \t\r\n"); len(b) > 0 && b[0] == '[' {
		return r.batch(s.Body)
	}
	object, err := members(s.Body)
	if err != nil {
		return nil, err
	}
	return r.single(object)
}

// batch reads an array of requests. It stops at the first one too many.
func (r requests) batch(body []byte) ([]request, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil {
		return nil, errNotJSON()
	}
	var out []request
	for d.More() {
		if len(out) == r.MaxBatch {
			return nil, limitExceeded("batch")
		}
		var element json.RawMessage
		if err := d.Decode(&element); err != nil {
			return nil, errNotJSON()
		}
		object, err := members(element)
		if err != nil {
			return nil, err
		}
		one, err := r.single(object)
		if err != nil {
			return nil, err
		}
		out = append(out, one...)
	}
	if err := end(d); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, errNothing()
	}
	return out, nil
}

// single reads one request from its parameters.
func (r requests) single(params map[string]json.RawMessage) ([]request, error) {
	var out request
	for name, value := range params {
		var err error
		switch name {
		case keyQuery:
			err = text(value, &out.query)
		case keyName:
			err = text(value, &out.name)
		case keyVariables:
			out.variables = value
		case keyExtensions:
			var kept bool
			kept, err = persisted(value)
			out.opaque = out.opaque || kept
		default:
			if resembles(name) || !r.PersistedQueries {
				return nil, malformed("The parameter %q is unknown.", name)
			}
			out.opaque = true
		}
		if err != nil {
			return nil, malformed("The parameter %q has the wrong type.", name)
		}
	}
	switch {
	case out.opaque && !r.PersistedQueries:
		return nil, refused(http.StatusForbidden, "PersistedQueryNotSupported")
	case out.query == "" && !out.opaque:
		return nil, errNothing()
	}
	return []request{out}, nil
}

// text reads a string; null is an empty one.
func text(value json.RawMessage, into *string) error { return json.Unmarshal(value, into) }

// persisted reports whether extensions name a query that the upstream keeps.
func persisted(extensions json.RawMessage) (bool, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(extensions, &all); err != nil {
		return false, err
	}
	for name := range all {
		if strings.EqualFold(name, keyPersisted) {
			return true, nil
		}
	}
	return false, nil
}

// members reads a JSON object none of whose keys stands twice: servers differ in
// which one they take.
func members(object []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errNotJSON()
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, errNotJSON()
		}
		name, ok := key.(string)
		if _, twice := out[name]; twice || !ok {
			return nil, malformed("The parameter %q is given twice.", name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, errNotJSON()
		}
		out[name] = value
	}
	return out, end(d)
}

// end reads the end of an array or object, after which nothing may stand.
func end(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errNotJSON()
	}
	if _, err := d.Token(); err != io.EOF {
		return errNotJSON()
	}
	return nil
}

func errNotJSON() error { return malformed("The body is not a JSON object.") }
func errNothing() error { return malformed("The request has no query.") }
