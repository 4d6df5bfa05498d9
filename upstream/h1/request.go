package h1

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// inlineSize is how large a body in memory may be that is written with the
// header, before anything is read: the buffers between here and the upstream
// have room for it, so that the write does not wait for a reader.
const inlineSize = 16 << 10

// pooledSize is how much room for a head is kept for another connection.
const pooledSize = 64 << 10

// An outgoing is a request with what is to be known to send it.
type outgoing struct {
	*http.Request
	body   io.ReadCloser // nil for none
	length int64         // of the body, -1 when it is not known
	inline bool          // the body goes with the header: it is in memory, or has all come
	ahead  int64         // how much of a body that is not in memory goes with the header
	expect bool          // the body waits for 100 Continue
}

// newOutgoing checks the request and finds out how its body is to be framed.
func newOutgoing(req *http.Request) (outgoing, error) {
	q := outgoing{Request: req, body: req.Body, length: req.ContentLength}
	switch {
	case req.URL == nil || req.Header == nil:
		return q, errors.New("a request needs a URL and a header")
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return q, fmt.Errorf("unsupported protocol scheme %q", req.URL.Scheme)
	case req.URL.Host == "":
		return q, errors.New("no host in the URL")
	case req.Method == http.MethodConnect, req.Method != "" && !httpguts.ValidHeaderFieldName(req.Method):
		return q, fmt.Errorf("method %q cannot be sent", req.Method)
	}
	q.frame()
	if q.body != nil && q.length < 0 && len(req.TransferEncoding) == 0 && rarelyHasBody(req.Method) {
		q.probe()
	}
	return q, nil
}

// frame sets what follows from the body.
func (q *outgoing) frame() {
	if q.body == nil || q.body == http.NoBody {
		q.body, q.length = nil, 0
		return
	}
	if q.length <= 0 || len(q.TransferEncoding) > 0 {
		q.length = -1
	}
	q.expect = q.has100Continue()
	q.inline = !q.expect && q.GetBody != nil && q.length >= 0 && q.length <= inlineSize
}

func (q *outgoing) has100Continue() bool {
	v := q.Header["Expect"]
	return v != nil && httpguts.HeaderValuesContainsToken(v, "100-continue")
}

// rarelyHasBody reports whether a server may be confused by a body of such a
// request, be it an empty one.
func rarelyHasBody(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodDelete, http.MethodOptions, "PROPFIND", "SEARCH":
		return true
	}
	return false
}

func (q *outgoing) closeBody() {
	if q.body != nil {
		q.body.Close()
	}
}

// rewind makes the request ready to be sent once more, unless that is not
// possible.
func (q *outgoing) rewind() bool {
	if q.body == nil {
		return true
	}
	if q.GetBody == nil {
		return false
	}
	again, err := q.GetBody()
	if err != nil {
		return false
	}
	q.body = again
	return true
}

// replayable reports whether the request may reach the server twice.
func (q *outgoing) replayable() bool {
	switch q.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return q.Header["Idempotency-Key"] != nil || q.Header["X-Idempotency-Key"] != nil
}

// appendHead appends the request line and the header, and nothing that could be
// read in two ways.
func (q *outgoing) appendHead(b []byte) ([]byte, error) {
	if q.Method == "" {
		b = append(b, http.MethodGet...)
	} else {
		b = append(b, q.Method...)
	}
	b = append(b, ' ')
	b, err := q.appendTarget(b)
	if err != nil {
		return b, err
	}
	b = append(b, " HTTP/1.1\r\nHost: "...)
	host, err := q.hostHeader()
	if err != nil {
		return b, err
	}
	b = append(append(b, host...), "\r\n"...)
	if q.Close {
		b = append(b, "Connection: close\r\n"...)
	}
	if b, err = q.appendFraming(b); err != nil {
		return b, err
	}
	for name, values := range q.Header {
		if ofClient(name) || q.Close && name == "Connection" {
			continue
		}
		if name == "User-Agent" {
			values = userAgent(values)
		}
		if b, err = appendField(b, name, values); err != nil {
			return b, err
		}
	}
	return append(b, "\r\n"...), nil
}

// appendTarget appends path and query, as they are.
func (q *outgoing) appendTarget(b []byte) ([]byte, error) {
	from := len(b)
	if u := q.URL; u.Opaque != "" {
		b = append(b, u.RequestURI()...)
	} else {
		path := u.EscapedPath()
		if path == "" {
			path = "/"
		}
		b = append(b, path...)
		if u.ForceQuery || u.RawQuery != "" {
			b = append(append(b, '?'), u.RawQuery...)
		}
	}
	for _, ch := range b[from:] {
		if ch <= ' ' || ch == 0x7f {
			return b, errors.New("the URL has a space or a control character in it")
		}
	}
	return b, nil
}

func (q *outgoing) hostHeader() (string, error) {
	host := q.Host
	if host == "" {
		host = q.URL.Host
	}
	host, err := ascii(host)
	if err != nil || !httpguts.ValidHostHeader(host) {
		return "", fmt.Errorf("host %q cannot be sent", host)
	}
	if strings.HasPrefix(host, "[") { // an IPv6 zone means something here only [RFC 6874, 4]
		if zone, end := strings.IndexByte(host, '%'), strings.LastIndexByte(host, ']'); zone >= 0 && zone < end {
			host = host[:zone] + host[end:]
		}
	}
	return host, nil
}

// ascii is a host, and port, in the form that goes over the wire.
func ascii(host string) (string, error) { return httpguts.PunycodeHostPort(host) }

// appendFraming says where the body ends [RFC 9112, 6].
func (q *outgoing) appendFraming(b []byte) ([]byte, error) {
	switch {
	case q.length > 0 || q.length == 0 && expectsLength(q.Method):
		b = append(b, "Content-Length: "...)
		return append(strconv.AppendInt(b, q.length, 10), "\r\n"...), nil
	case q.length == 0:
		return b, nil
	}
	b = append(b, "Transfer-Encoding: chunked\r\n"...)
	if len(q.Trailer) == 0 {
		return b, nil
	}
	names := make([]string, 0, len(q.Trailer))
	for name := range q.Trailer {
		if framing(name) || !httpguts.ValidHeaderFieldName(name) {
			return b, fmt.Errorf("%q cannot be a trailer", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, "Trailer: "...)
	return append(append(b, strings.Join(names, ",")...), "\r\n"...), nil
}

// expectsLength reports whether servers want the length of such a request's
// body even where there is none.
func expectsLength(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// framing reports whether a field says where a message ends, in any case: what
// the header of a request says of it has no effect.
func framing(name string) bool {
	switch len(name) {
	case len("Trailer"):
		return strings.EqualFold(name, "Trailer")
	case len("Content-Length"):
		return strings.EqualFold(name, "Content-Length")
	case len("Transfer-Encoding"):
		return strings.EqualFold(name, "Transfer-Encoding")
	}
	return false
}

// ofClient reports whether a field is the client's own to set.
func ofClient(name string) bool {
	return len(name) == len("Host") && strings.EqualFold(name, "Host") || framing(name)
}

// userAgent is the one User-Agent that is sent; an empty one is none, as with
// net/http.
func userAgent(values []string) []string {
	if len(values) == 0 || textproto.TrimString(values[0]) == "" {
		return nil
	}
	return values[:1]
}

// appendField appends one line for each value.
func appendField(b []byte, name string, values []string) ([]byte, error) {
	if !httpguts.ValidHeaderFieldName(name) {
		return b, fmt.Errorf("header %q cannot be sent", name)
	}
	for _, v := range values {
		if !httpguts.ValidHeaderFieldValue(v) {
			return b, fmt.Errorf("the value of header %q cannot be sent", name)
		}
		v = textproto.TrimString(v)
		b = append(append(b, name...), ": "...)
		b = append(append(b, v...), "\r\n"...)
	}
	return b, nil
}
