package coprocess

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/grapnel-gateway/grapnel"
)

func unfit(s string) bool { return !utf8.ValidString(s) }

// applyResponse checks the answer to a response hook, and then makes the reply
// what it says [A-41…A-49]. On error the reply stays as it is.
func (b *binding) applyResponse(x *grapnel.Exchange, resp *http.Response, q *question, a *answer) error {
	got := &a.reply
	if !got.given {
		return errors.New("response: missing")
	}
	status := int(got.status)
	if !finalStatus(status) && status != q.reply.status {
		return fmt.Errorf("response.status_code: %d is not the status of a reply", status)
	}
	header, trailer, err := resp.Header, http.Header(nil), error(nil)
	if !got.unchanged(&q.reply) {
		if header, err = b.responseHeader(&q.reply, got); err != nil {
			return err
		}
	}
	if !b.client.tyk {
		if trailer, err = newTrailer("response.trailers", resp.Trailer, got.trailers); err != nil {
			return err
		}
	}
	body, edited := got.newBody(&q.reply, b.client.tyk)
	if err := b.checkBody("response", q.reply.body.Share, edited, trailer != nil); err != nil {
		return err
	}
	session, err := b.written(x, a)
	if err != nil {
		return err
	}
	if err := b.may.reply(resp, status, header, trailer, edited, session != nil); err != nil {
		return err
	}
	if session != nil {
		x.Session = session
	}
	if resp.Header = header; trailer != nil {
		resp.Trailer = trailer
	}
	if status != resp.StatusCode {
		b.setStatus(x, resp, status)
	}
	if !hasBody(x.Request.Method, status) || q.reply.body.Part && !edited {
		return nil
	}
	if edited {
		body = a.data.keep(body)
	}
	if body, edited = q.reply.body.encoded(header, body, edited); edited || q.reply.body.coding == "" {
		setBody(resp, body)
	}
	return nil
}

// newBody is the body that the answer gives the reply, and whether it is
// another one. An edit of the text alone has no effect in the original;
// natively it counts, as in a request [L-19].
func (got *gotReply) newBody(sent *sentReply, tyk bool) ([]byte, bool) {
	if bytes.Equal(got.body, sent.body.Bytes) {
		if tyk || len(got.text) == 0 {
			return sent.body.Bytes, false
		}
		return got.text, true
	}
	return got.body, true
}

// setStatus changes the status of a reply; its body goes when the new status
// allows none.
func (b *binding) setStatus(x *grapnel.Exchange, resp *http.Response, status int) {
	if hasBody(x.Request.Method, resp.StatusCode) && !statusHasBody(status) {
		resp.Body.Close()
		resp.Body, resp.ContentLength = http.NoBody, 0
		resp.Header.Del("Content-Length")
	}
	resp.StatusCode, resp.Status = status, ""
}

// setBody gives a reply its body, framed by its length. Only a reply with
// trailers, which pass unchanged, keeps the framing that lets them.
func setBody(resp *http.Response, body []byte) {
	resp.Body.Close()
	grapnel.SetBody(resp, body)
	if len(resp.Trailer) > 0 {
		resp.ContentLength = -1
		resp.Header.Del("Content-Length")
	}
}

// responseHeader makes the reply's new header of the answer. What
// the answer says about the connection and the length counts for nothing, old
// stays there; values that came back as they were sent have their old bytes.
func (b *binding) responseHeader(sent *sentReply, got *gotReply) (http.Header, error) {
	old, lines := sent.header, b.synchronise(sent, got)
	lost := unsent(old)
	out := make(http.Header, len(lines)+1)
	for _, l := range lines {
		if !httpguts.ValidHeaderFieldName(l.name) {
			return nil, fmt.Errorf("response headers: %.64q is not a header name", l.name)
		}
		name := b.client.headerName(l.name)
		if name == "Transfer-Encoding" {
			return nil, fmt.Errorf("response headers[%q]: the gateway frames messages itself", name)
		}
		if ofConnection(name) {
			continue
		}
		for _, v := range l.values {
			v = lost.take(name, v)
			if err := checkValue(v); err != nil && !slices.Contains(old[name], v) {
				return nil, fmt.Errorf("response headers[%.64q]: %w", name, err)
			}
			out[name] = append(out[name], v)
		}
	}
	for name, values := range old {
		if ofConnection(name) || out[name] == nil && !b.sees(name) {
			out[name] = values
		}
	}
	return out, nil
}

// originals are the values of headers that could not be sent as they are, in
// order, by name and the text that was sent instead.
type originals map[[2]string][]string

func unsent(h http.Header) originals {
	var out originals
	for name, values := range h {
		if !slices.ContainsFunc(values, unfit) {
			continue
		}
		if out == nil {
			out = originals{}
		}
		for _, v := range values { // the fit ones too: they may be the text of others
			key := [2]string{name, text(v)}
			out[key] = append(out[key], v)
		}
	}
	return out
}

// take is the value that v stands for: the next one that was sent as v under
// this name, else v itself.
func (o originals) take(name, v string) string {
	key := [2]string{name, v}
	waiting := o[key]
	if len(waiting) == 0 {
		return v
	}
	o[key] = waiting[1:]
	return waiting[0]
}
