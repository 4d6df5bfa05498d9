package coprocess

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/coding"
)

// A content is a body as the plugin gets it.
type content struct {
	grapnel.Share
	coding string // the Content-Encoding that was taken off; empty is none
}

// ofRequest is the request's body for the plugin.
func (s *scope) ofRequest(x *grapnel.Exchange) (content, error) {
	share, err := s.send.OfRequest(x)
	if err != nil {
		return content{}, fmt.Errorf("reading the request's body: %w", err)
	}
	c, err := s.decode(share, x.Request.Header, x.API)
	switch {
	case errors.Is(err, coding.ErrTooLarge):
		return content{}, refusal(http.StatusRequestEntityTooLarge, grapnel.CodeBodyTooLarge, err)
	case err != nil:
		return content{}, refusal(http.StatusBadRequest, grapnel.CodeBadRequest, err)
	}
	return c, nil
}

// ofReply is the reply's body for the plugin.
func (s *scope) ofReply(x *grapnel.Exchange, resp *http.Response) (content, error) {
	if !hasBody(x.Request.Method, resp.StatusCode) {
		return content{}, nil
	}
	share, err := s.send.OfReply(x, resp)
	if err != nil {
		return content{}, fmt.Errorf("reading the reply's body: %w", err)
	}
	c, err := s.decode(share, resp.Header, x.API)
	switch {
	case errors.Is(err, coding.ErrTooLarge):
		return content{}, refusal(http.StatusBadGateway, grapnel.CodeUpstreamTooLarge, err)
	case err != nil:
		return content{}, refusal(http.StatusBadGateway, grapnel.CodeUpstreamFailed, err)
	}
	return c, nil
}

// refusal is the failure of an exchange whose body cannot be decoded: what nobody
// could look at must not go on.
func refusal(status int, code grapnel.Code, err error) error {
	return &grapnel.Error{Status: status, Code: code, Message: http.StatusText(status), Err: fmt.Errorf("decoding the body: %w", err)}
}

// codings is the Content-Encoding of a message, in however many lines.
func codings(h http.Header) string { return strings.Join(h["Content-Encoding"], ", ") }

// decode takes the coding off a body that is sent whole, where the hook wants that
// and the coding is known [L-28].
func (s *scope) decode(share grapnel.Share, h http.Header, api *grapnel.API) (content, error) {
	header := codings(h)
	if !s.send.DecodeBody || share.Part || len(share.Bytes) == 0 || !coding.Known(header) {
		return content{Share: share}, nil
	}
	limit := int64(api.MaxBody)
	if size := int64(s.send.Body); size > 0 && (limit <= 0 || size < limit) {
		limit = size
	}
	text, err := coding.Decode(header, share.Bytes, limit)
	switch {
	case errors.Is(err, coding.ErrTooLarge) && s.send.BodyOver == grapnel.OverSkip:
		return content{Share: grapnel.Share{Part: true, Size: -1}}, nil
	case err != nil:
		return content{}, err
	}
	return content{grapnel.Share{Bytes: text, Size: int64(len(text))}, header}, nil
}

// encoded is the body that takes the place of the content's, when the message has
// this header after the hook: encoded as before, or as it is, when the plugin took
// the coding off. edited says that the plugin changed it.
func (c *content) encoded(h http.Header, body []byte, edited bool) (_ []byte, changed bool) {
	switch now := codings(h); {
	case c.coding == "":
		return body, edited
	case now != c.coding:
		return body, true
	case edited && len(body) > 0:
		body = coding.Encode(now, body)
	}
	return body, edited
}
