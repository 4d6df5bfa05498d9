package sdk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
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

// SetHeader replaces all values of a request header by one.
func (x *Exchange) SetHeader(name, value string) { set(&x.request().SetHeaders, name, value) }

// DeleteHeader removes a request header with all its values.
func (x *Exchange) DeleteHeader(name string) {
	r := x.request()
	delete(r.SetHeaders, name)
	r.DeleteHeaders = append(r.DeleteHeaders, name)
}

// Param returns the first value of a query parameter; "" where there is none.
func (x *Exchange) Param(name string) string { return x.Request.GetParams()[name] }

// SetParam replaces all values of a query parameter by one.
func (x *Exchange) SetParam(name, value string) { set(&x.request().AddParams, name, value) }

// DeleteParam removes a query parameter with all its values.
func (x *Exchange) DeleteParam(name string) {
	r := x.request()
	delete(r.AddParams, name)
	r.DeleteParams = append(r.DeleteParams, name)
}

// SetBody replaces the request's RawBody; an empty one leaves none.
func (x *Exchange) SetBody(body []byte) {
	r := x.request()
	r.RawBody, r.Body = body, text(body)
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
