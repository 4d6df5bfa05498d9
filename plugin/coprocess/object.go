package coprocess

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// object makes the message about an exchange whose request has this body. It
// shares the body and what is constant; nobody may change it.
func (b *binding) object(x *grapnel.Exchange, body []byte) *wire.Object {
	o := &wire.Object{HookType: b.kind, HookName: b.name, Spec: b.spec, Request: b.requestObject(x, body)}
	switch {
	case b.stage == grapnel.Pre || b.stage == grapnel.Auth: // nobody is known yet [B-20]
	case x.Session != nil:
		o.Session = sessionState(x.Session, b.client.tyk)
		o.Metadata = o.Session.Metadata // [B-21]
	case b.stage == grapnel.Response:
		o.Session = b.nobody // [B-22]
	}
	return o
}

// requestObject describes the request [B-3…B-16, B-29].
func (b *binding) requestObject(x *grapnel.Exchange, body []byte) *wire.MiniRequestObject {
	r := x.Request
	o := &wire.MiniRequestObject{
		Headers:         requestHeaders(r),
		Method:          r.Method,
		RequestUri:      text(r.RequestURI),
		Scheme:          "http",
		RawBody:         body,
		Body:            b.bodyText(body),
		ReturnOverrides: b.overrides,
	}
	if b.stage == grapnel.Response && b.client.tyk {
		delete(o.Headers, "Accept-Encoding") // as recorded: the original's is gone by then
	}
	if r.TLS != nil {
		o.Scheme = "https" // [B-13]
	}
	target := b.target(x)
	o.Url = text(target.String())
	if b.pending(x) {
		o.RequestUri = text(target.RequestURI()) // [B-9]
	}
	if b.stage != grapnel.Response && x.RewriteMethod != "" {
		o.Method = x.RewriteMethod // [B-12]
	}
	o.Params = params(b.query(x))
	return o
}

// pending says that a rewrite rule chose a URL which the upstream stage has not
// taken yet [B-9].
func (b *binding) pending(x *grapnel.Exchange) bool {
	return x.Rewrite != nil && b.stage != grapnel.Response
}

// target is the URL that the plugin sees and may change.
func (b *binding) target(x *grapnel.Exchange) *url.URL {
	if b.pending(x) {
		return x.Rewrite
	}
	return x.Request.URL
}

// query is the raw query whose parameters the plugin sees and may change. The
// original shows that of the request even when a rewrite is pending, so that
// changes come to nothing; natively it is the one that goes upstream
// [L-23].
func (b *binding) query(x *grapnel.Exchange) string {
	if b.client.tyk {
		return x.Request.URL.RawQuery
	}
	return b.target(x).RawQuery
}

// requestHeaders lists the first value of each header, and the host [B-3, B-4].
func requestHeaders(r *http.Request) map[string]string {
	out := make(map[string]string, len(r.Header)+1)
	for name, values := range r.Header {
		if len(values) > 0 {
			out[text(name)] = text(values[0])
		}
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if host != "" {
		out["Host"] = text(host)
	}
	return out
}

// bodyText is the copy of a body that plugins get as text, if it is text and
// the hook wants it [B-14].
func (b *binding) bodyText(body []byte) string {
	if b.rawOnly || !utf8.Valid(body) {
		return ""
	}
	return string(body)
}

// text makes s fit for a protobuf string, which holds valid UTF-8 only. What the
// plugin leaves untouched goes on with the bytes it had: nothing is ever taken
// back from a text that equals the one sent.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
