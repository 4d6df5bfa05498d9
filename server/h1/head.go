package h1

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// parse reads the header of a plain request. Everything that could be read in two
// ways, or that asks for more than a reply, is unusual.
func (c *conn) parse(head string) (*exchange, error) {
	line, fields, ok := cutLine(head)
	method, rest, _ := strings.Cut(line, " ")
	target, version, _ := strings.Cut(rest, " ")
	if !ok || version != "HTTP/1.1" || !plainTarget(target) || !httpguts.ValidHeaderFieldName(method) || method == http.MethodConnect {
		return nil, errUnusual
	}
	to, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, errUnusual
	}
	e := newExchange(c)
	r := e.request
	r.Method, r.RequestURI, r.URL = method, target, to
	r.Proto, r.ProtoMajor, r.ProtoMinor = version, 1, 1
	r.RemoteAddr = c.remote
	if !e.parseFields(fields) {
		return nil, errUnusual
	}
	return e, nil
}

// cutLine cuts off a line, which ends with CRLF. Not so one with only a part of
// that.
func cutLine(s string) (line, rest string, ok bool) {
	n := strings.IndexByte(s, '\n')
	if n < 1 || s[n-1] != '\r' {
		return "", "", false
	}
	return s[:n-1], s[n+1:], true
}

// plainTarget reports whether a request asks for a path on this server.
func plainTarget(target string) bool {
	if target == "" || target[0] != '/' || len(target) > 1 && target[1] == '/' {
		return false
	}
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// manyFields is how many header lines memory is set aside for beforehand.
const manyFields = 1000

// parseFields reads the header lines up to the empty one, and reports whether
// there is nothing unusual about them.
func (e *exchange) parseFields(s string) bool {
	n := min(strings.Count(s, "\n")-1, manyFields)
	h := make(http.Header, n)
	values := make([]string, n) // one allocation for most of them
	host := false
	for {
		line, rest, ok := cutLine(s)
		if !ok {
			return false
		}
		if line == "" {
			e.request.Header = h
			return host && e.length(h)
		}
		s = rest
		name, value, ok := strings.Cut(line, ":")
		if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return false
		}
		name, value = textproto.CanonicalMIMEHeaderKey(name), textproto.TrimString(value)
		switch name {
		case "Host":
			if host || !httpguts.ValidHostHeader(value) {
				return false
			}
			host, e.request.Host = true, value
			continue
		case "Transfer-Encoding", "Upgrade", "Expect", "Trailer", "Pragma":
			return false
		case "Connection":
			if !strings.EqualFold(value, "keep-alive") {
				return false
			}
		}
		if had, ok := h[name]; ok {
			h[name] = append(had, value)
			continue
		}
		if len(values) == 0 {
			values = make([]string, manyFields)
		}
		values[0] = value
		h[name], values = values[:1:1], values[1:]
	}
}

// length gives the request its body, and reports whether its length is beyond
// doubt.
func (e *exchange) length(h http.Header) bool {
	e.request.Body = http.NoBody
	lengths, ok := h["Content-Length"]
	if !ok {
		return true
	}
	if len(lengths) != 1 {
		return false
	}
	n, err := strconv.ParseUint(lengths[0], 10, 63)
	if err != nil {
		return false
	}
	if n > 0 {
		e.body.left, e.request.ContentLength = int64(n), int64(n)
		e.request.Body = &e.body
	}
	return true
}
