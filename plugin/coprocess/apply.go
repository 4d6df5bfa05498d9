package coprocess

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpguts"

	"github.com/grapnel-gateway/grapnel"
)

// A change is what an answer does to an exchange, checked and complete: to
// commit it cannot fail. The zero change leaves all as it is.
type change struct {
	remove  []string          // header names
	set     map[string]string // headers
	values  []*line           // headers with all their values, before the others
	add     []*line           // header values, after the others
	trailer http.Header       // nil is as it was
	body    []byte
	newBody bool
	url     *url.URL // of the request; nil is as it was
	rewrite *url.URL // pending; nil is as it was
	method  string   // empty is as it was
	session *grapnel.Session
}

// applyRequest checks the answer to a request hook, and then does what it says
// [A-1…A-25, C-4]. When the plugin answers or refuses the client, and on error,
// the exchange stays as it is.
func (b *binding) applyRequest(x *grapnel.Exchange, q *question, a *answer) (*http.Response, error) {
	c, err := b.change(x, q, a)
	if err != nil {
		return nil, err
	}
	resp, err := b.override(a)
	if resp != nil || err != nil {
		return resp, err
	}
	if err := b.checkBody("request", q.body.Share, c.newBody, c.trailer != nil); err != nil {
		return nil, err
	}
	if b.stage == grapnel.Auth {
		c.session, err = b.authenticated(a)
	} else {
		c.session, err = b.written(x, a)
	}
	if err != nil {
		return nil, err
	}
	if err := b.allows(x, c, q, &a.request); err != nil {
		return nil, err
	}
	b.commit(x, q, c)
	return nil, nil
}

// change checks the answer about a request and works out what it changes. No
// answer about the request changes nothing [L-12].
func (b *binding) change(x *grapnel.Exchange, q *question, a *answer) (change, error) {
	got := &a.request
	if !got.given {
		return change{}, nil
	}
	for _, name := range got.delHeaders {
		if !httpguts.ValidHeaderFieldName(name) {
			return change{}, fmt.Errorf("delete_headers: %.64q is not a header name", name)
		}
	}
	if err := checkHeaders("set_headers", got.setHeaders); err != nil {
		return change{}, err
	}
	c := change{remove: got.delHeaders, set: got.setHeaders}
	if err := c.several(b.client, x.Request, &got.several); err != nil {
		return change{}, err
	}
	if body, edited := got.newBody(q, b.client.tyk); edited {
		c.body, c.newBody = a.data.keep(body), true
	}
	var err error
	if c.url, c.rewrite, err = b.location(x, q, got); err != nil {
		return change{}, err
	}
	if c.method, err = newMethod(q.method, got.method); err != nil {
		return change{}, err
	}
	return c, nil
}

// several checks what the answer says about headers and trailers with all their
// values. The original has no such words, and where it is reproduced they count
// for nothing.
func (c *change) several(client *Client, r *http.Request, got *several) (err error) {
	if client.tyk {
		return nil
	}
	h := r.Header
	c.values, c.add = changed(h, under(h, got.headers, client.headerName)), under(h, got.addHeaders, client.headerName)
	if err := checkLines("multivalue_headers", h, c.values); err != nil {
		return err
	}
	if err := checkLines("append_headers", nil, c.add); err != nil {
		return err
	}
	c.trailer, err = newTrailer("trailers", r.Trailer, got.trailers)
	return err
}

// commit does what was checked, in the order of the original [A-2…A-13], where
// the last word about a header counts.
func (b *binding) commit(x *grapnel.Exchange, q *question, c change) {
	r := x.Request
	for _, l := range c.values {
		putValues(r.Header, l)
	}
	for _, name := range c.remove {
		r.Header.Del(name)
	}
	for name, value := range c.set {
		if name := b.client.headerName(name); name != "Host" {
			grapnel.SetHeader(r.Header, name, value)
		}
	}
	for _, l := range c.add {
		addValues(r.Header, l)
	}
	q.body.commitTo(x, c)
	if c.trailer != nil {
		r.Trailer = c.trailer
	}
	if c.url != nil {
		r.URL = c.url
	}
	if c.rewrite != nil {
		x.Rewrite = c.rewrite
	}
	switch {
	case c.method == "":
	case x.RewriteMethod != "":
		x.RewriteMethod = c.method
	default:
		r.Method = c.method
	}
	if c.session != nil {
		x.Session = c.session
	}
}

// commitTo gives the request its new body, or takes the coding off the old one as
// the plugin did.
func (sent *content) commitTo(x *grapnel.Exchange, c change) {
	body := sent.Bytes
	if c.newBody {
		body = c.body
	}
	if body, edited := sent.encoded(x.Request.Header, body, c.newBody); edited {
		x.SetBody(body)
	}
}

// newBody is the body that the answer gives the request, if another than
// it has. The bytes of raw_body count. Natively an edited text counts
// when raw_body did not change [L-19], and any text when raw_body came back
// empty [L-24].
func (got *edits) newBody(q *question, tyk bool) ([]byte, bool) {
	same := bytes.Equal(got.body, q.body.Bytes)
	if !tyk && len(got.text) > 0 {
		if len(got.body) == 0 || same && !bytes.Equal(got.text, q.text) {
			return got.text, true
		}
	}
	return got.body, !same
}

// newMethod is the method that the answer chooses, or empty when it keeps the
// one that was sent. No method is GET.
func newMethod(sent string, returned []byte) (string, error) {
	if string(returned) == sent {
		return "", nil
	}
	switch got := string(returned); {
	case got == "":
		return http.MethodGet, nil
	case !httpguts.ValidHeaderFieldName(got): // both are tokens [RFC 9110 9.1]
		return "", fmt.Errorf("method: %.64q is not a method", got)
	default:
		return got, nil
	}
}
