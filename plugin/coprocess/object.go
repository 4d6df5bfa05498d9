package coprocess

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A question is the Object about an exchange, and what of it the answer is
// compared with: what came back as it was sent changes nothing.
type question struct {
	message
	call    rpc.Call
	url     string
	method  string
	body    content // of the request
	text    []byte  // the copy of body that is sent as text
	session []byte  // its wire form
	reply   sentReply
}

// question makes the Object about an exchange whose request has this body. It
// shares the body; what is constant and the session are encoded already.
func (b *binding) question(x *grapnel.Exchange, body content) *question {
	q := &question{message: b.client.buffers.message(), body: body, text: b.bodyText(body.Bytes)}
	q.buf = append(q.buf, b.head...)
	request := q.begin(objectRequest)
	b.writeRequest(q, x)
	q.end(request)
	who := b.who(x)
	q.raw(who)
	if f := (fields{rest: who}); f.next() {
		q.session = f.bytes
	}
	q.raw(b.spec)
	whole := body.Bytes
	if body.Part {
		whole = nil
	}
	writeFacts(q, b.facts, x, whole)
	return q
}

// who is the wire form of who is calling.
func (b *binding) who(x *grapnel.Exchange) []byte {
	switch {
	case b.stage == grapnel.Pre || b.stage == grapnel.Auth: // nobody is known yet [B-20]
		return nil
	case b.send.Session == grapnel.SessionNone:
		return nil
	case x.Session != nil:
		return b.client.sessions.encoded(x, b.client.tyk, b.send.Session) // [B-21]
	case b.stage == grapnel.Response:
		return b.nobody // [B-22]
	}
	return nil
}

// writeRequest describes the request [B-3…B-16, B-29].
func (b *binding) writeRequest(q *question, x *grapnel.Exchange) {
	r, target := x.Request, b.target(x)
	q.url, q.method = text(target.String()), r.Method
	if b.stage != grapnel.Response && x.RewriteMethod != "" {
		q.method = x.RewriteMethod // [B-12]
	}
	uri := r.RequestURI
	if b.pending(x) {
		uri = target.RequestURI() // [B-9]
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https" // [B-13]
	}
	b.writeHeaders(q, r)
	q.bytes(requestBody, q.text)
	q.string(requestURL, q.url)
	q.params(b.query(x))
	q.buf = append(q.buf, b.overrides...)
	q.string(requestMethod, q.method)
	q.string(requestRequestURI, uri)
	q.string(requestScheme, scheme)
	q.bytes(requestRawBody, q.body.Bytes)
	if !b.client.tyk {
		b.writeSeveral(q, x.Request, b.query(x))
		q.part(requestBodyTruncated, requestBodySize, q.body.Share)
	}
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

// writeHeaders lists the first value of each header, and the host [B-3, B-4].
func (b *binding) writeHeaders(q *question, r *http.Request) {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	// As recorded: in the original it is gone when Response hooks are asked.
	encodings := b.stage != grapnel.Response || !b.client.tyk
	for name, values := range r.Header {
		if len(values) > 0 && (name != "Host" || host == "") && (name != "Accept-Encoding" || encodings) && b.sees(name) {
			q.entry(requestHeaders, name, values[0])
		}
	}
	if host != "" && b.sees("Host") {
		q.entry(requestHeaders, "Host", host)
	}
}

// params lists the parameters of a raw query as plugins see them: the first
// value of each name, pairs that are not well-formed are not seen [B-11]. The
// pairs go from the last to the first: of the entries of a map that have one key
// the last one counts, so that nobody need remember the names.
func (m *message) params(raw string) {
	for raw != "" {
		i := strings.LastIndexByte(raw, '&')
		if key, value, ok := parsePair(raw[i+1:]); ok {
			m.entry(requestParams, key, value)
		}
		raw = raw[:max(i, 0)]
	}
}

// bodyText is the copy of a body that plugins get as text, if it is text and
// the hook wants it [B-14].
func (b *binding) bodyText(body []byte) []byte {
	if b.rawOnly || !utf8.Valid(body) {
		return nil
	}
	return body
}

// head is how the messages of a hook begin.
func head(kind uint64, name string) []byte {
	var m message
	m.varint(objectHookType, kind)
	m.string(objectHookName, name)
	return m.buf
}

// spec is the wire form of what plugins are told about the API [B-17, B-18].
func spec(facts map[string]string) []byte {
	var m message
	m.entries(objectSpec, facts)
	return m.buf
}

// noOverrides are the return_overrides of every request: none [B-16].
func noOverrides() []byte {
	var m message
	o := m.begin(requestReturnOverrides)
	m.buf = protowire.AppendTag(m.buf, overridesResponseCode, protowire.VarintType)
	m.buf = protowire.AppendVarint(m.buf, 1<<64-1) // -1
	m.end(o)
	return m.buf
}
