package sdk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A Session is who is calling. Its Get methods work on a nil Session too.
type Session = coprocess.SessionState

// An Exchange is one request, or its reply, as a hook sees it: the message of
// the contract, with methods for what is clumsy there. What is set counts when
// the hook returns, and is not read back before.
type Exchange struct {
	*coprocess.Object
	ctx context.Context
}

// Context ends at the call's deadline, or when the client has left.
func (x *Exchange) Context() context.Context {
	return cmp.Or(x.ctx, context.Background()) // a test may give none
}

// request is the request to change; one that was not sent begins empty.
func (x *Exchange) request() *coprocess.MiniRequestObject {
	if x.Request == nil {
		x.Request = &coprocess.MiniRequestObject{}
	}
	return x.Request
}

// Header returns the first value of a request header; "" where there is none.
func (x *Exchange) Header(name string) string {
	return x.Request.GetHeaders()[http.CanonicalHeaderKey(name)]
}

// HeaderValues returns all values of a request header, in order. The slice is the
// message's own.
func (x *Exchange) HeaderValues(name string) []string {
	name = http.CanonicalHeaderKey(name)
	for _, h := range x.Request.GetMultivalueHeaders() {
		if h.Key == name {
			return h.Values
		}
	}
	return single(x.Request.GetHeaders(), name)
}

// SetHeader replaces all values of a request header by one.
func (x *Exchange) SetHeader(name, value string) {
	x.unsetHeader(name)
	set(&x.request().SetHeaders, name, value)
}

// AddHeader adds a value to a request header.
func (x *Exchange) AddHeader(name, value string) {
	r := x.request()
	r.AppendHeaders = append(r.AppendHeaders, &coprocess.Header{Key: name, Values: []string{value}})
}

// DeleteHeader removes a request header with all its values.
func (x *Exchange) DeleteHeader(name string) {
	x.unsetHeader(name)
	r := x.request()
	r.DeleteHeaders = append(r.DeleteHeaders, name)
}

// unsetHeader takes back what was set and added before.
func (x *Exchange) unsetHeader(name string) {
	r := x.request()
	delete(r.SetHeaders, name)
	r.AppendHeaders = slices.DeleteFunc(r.AppendHeaders, func(h *coprocess.Header) bool { return h.Key == name })
}

// Param returns the first value of a query parameter; "" where there is none.
func (x *Exchange) Param(name string) string { return x.Request.GetParams()[name] }

// ParamValues returns all values of a query parameter, in order. The slice is the
// message's own.
func (x *Exchange) ParamValues(name string) []string {
	for _, p := range x.Request.GetMultivalueParams() {
		if p.Name == name {
			return p.Values
		}
	}
	return single(x.Request.GetParams(), name)
}

// SetParam replaces all values of a query parameter by one.
func (x *Exchange) SetParam(name, value string) {
	x.unsetParam(name)
	set(&x.request().AddParams, name, value)
}

// AddParam adds a value to a query parameter.
func (x *Exchange) AddParam(name, value string) {
	r := x.request()
	r.AppendParams = append(r.AppendParams, &coprocess.Param{Name: name, Values: []string{value}})
}

// DeleteParam removes a query parameter with all its values.
func (x *Exchange) DeleteParam(name string) {
	x.unsetParam(name)
	r := x.request()
	r.DeleteParams = append(r.DeleteParams, name)
}

// unsetParam takes back what was set and added before.
func (x *Exchange) unsetParam(name string) {
	r := x.request()
	delete(r.AddParams, name)
	r.AppendParams = slices.DeleteFunc(r.AppendParams, func(p *coprocess.Param) bool { return p.Name == name })
}

// SetBody replaces the request's RawBody; an empty one leaves none.
func (x *Exchange) SetBody(body []byte) {
	r := x.request()
	r.RawBody, r.Body = body, text(body)
}

// Certificate returns the client's certificate; nil where the client has shown
// none, or the hook's configuration does not ask for it under facts. Its Get
// methods work on nil too.
func (x *Exchange) Certificate() *coprocess.ClientCertificate { return x.Facts.GetCertificate() }

// Claims decodes the verified claims of the caller's token, which are JSON, into
// what v points to. Where there are none, or the hook's configuration does not ask
// for them under facts, it is an error.
func (x *Exchange) Claims(v any) error {
	if err := json.Unmarshal([]byte(x.Facts.GetClaims()), v); err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	return nil
}

// Config decodes the API's config_data, which is JSON, into what v points to.
// An API without any is an error.
func (x *Exchange) Config(v any) error {
	if err := json.Unmarshal([]byte(x.Spec["config_data"]), v); err != nil {
		return fmt.Errorf("config_data of API %q: %w", x.Spec["APIID"], err)
	}
	return nil
}

// Accept is how an auth hook lets a caller in: with the session that they
// have from now on, and the token that stands for it, which must not be empty.
func (x *Exchange) Accept(token string, s *Session) {
	x.Session = s
	x.Metadata = map[string]string{}
	maps.Copy(x.Metadata, s.GetMetadata())
	x.Metadata["token"] = token
}

// single is the one value that a map has under a name; nil where it has none.
func single(m map[string]string, name string) []string {
	if value, ok := m[name]; ok {
		return []string{value}
	}
	return nil
}

// set sets a value of a map that may not be there yet.
func set(m *map[string]string, name, value string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[name] = value
}

// text is a body as the text fields of the contract have it.
func text(body []byte) string {
	if utf8.Valid(body) {
		return string(body)
	}
	return ""
}
