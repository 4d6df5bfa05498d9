package sdk

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A Reply is the upstream's reply, for Response hooks to change.
type Reply struct {
	*coprocess.ResponseObject
}

// Reply returns the upstream's reply. Only Response hooks have one; in others
// it is empty, and changing it has no effect.
func (x *Exchange) Reply() Reply {
	if x.Response == nil {
		x.Response = &coprocess.ResponseObject{}
	}
	return Reply{x.Response}
}

// HeaderValues returns all values of a header, in order.
func (r Reply) HeaderValues(name string) []string {
	name = http.CanonicalHeaderKey(name)
	for _, h := range r.MultivalueHeaders {
		if h.Key == name {
			return h.Values
		}
	}
	return nil
}

// SetHeader replaces all values of a header by one.
func (r Reply) SetHeader(name, value string) {
	r.DeleteHeader(name)
	r.AddHeader(name, value)
}

// AddHeader adds a value to a header, as for Set-Cookie.
func (r Reply) AddHeader(name, value string) {
	name = http.CanonicalHeaderKey(name)
	for _, h := range r.MultivalueHeaders {
		if h.Key == name {
			h.Values = append(h.Values, value)
			return
		}
	}
	set(&r.Headers, name, value)
	r.MultivalueHeaders = append(r.MultivalueHeaders, &coprocess.Header{Key: name, Values: []string{value}})
}

// DeleteHeader removes a header with all its values.
func (r Reply) DeleteHeader(name string) {
	name = http.CanonicalHeaderKey(name)
	delete(r.Headers, name)
	r.MultivalueHeaders = slices.DeleteFunc(r.MultivalueHeaders, func(h *coprocess.Header) bool { return h.Key == name })
}

// SetBody replaces RawBody; an empty one leaves none.
func (r Reply) SetBody(body []byte) { r.RawBody, r.Body = body, text(body) }

// An Answer is what the client gets in place of the upstream's reply. Hooks return
// it as their error; that of a Response hook counts where the gateway's
// configuration gives the hook may_override, and elsewhere the reply goes on.
type Answer struct {
	Status  int               // the HTTP status, from 200 to 599
	Header  map[string]string // one value for each name
	Message string            // where not empty, what an error page of the gateway's says
	Body    string            // else the body as it stands
}

// Deny returns an answer that is an error page with a message, for a status of
// 400 or more.
func Deny(status int, message string) *Answer { return &Answer{Status: status, Message: message} }

// Error returns status and text.
func (a *Answer) Error() string { return fmt.Sprintf("answer %d: %s%s", a.Status, a.Message, a.Body) }

// answer makes an error that is an [Answer] the answer to the request.
func (x *Exchange) answer(err error) error {
	var a *Answer
	if !errors.As(err, &a) {
		return err
	}
	x.request().ReturnOverrides = &coprocess.ReturnOverrides{
		ResponseCode: int32(a.Status), Headers: a.Header,
		ResponseError: a.Message, ResponseBody: a.Body, OverrideError: a.Message == "",
	}
	return nil
}
