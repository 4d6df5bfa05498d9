package h1

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

const (
	// roomSize is how much of a reply is gathered before it is sent.
	roomSize = 4 << 10
	// heldSize is how much of a body without a length is held back, in case that
	// is all: a reply then has a length, which not every client can do without.
	heldSize = 2 << 10
)

// A reply is the reply to one request, as its handler writes it. It is used again
// for the next request of the connection.
type reply struct {
	c       *conn
	e       *exchange
	head    bool        // the request was HEAD
	header  http.Header // the handler's
	out     []byte      // what is to be sent
	room    *[]byte     // whose room out is in
	held    []byte      // of the body, until the header is whole
	status  int         // 0 until it was written
	length  int64       // what is left of the announced body; see the values below
	framed  bool        // the header is whole
	sniff   bool        // the kind of content is to be guessed
	close   bool        // the last reply on the connection
	trailer []string    // the names that were announced
	err     error       // why nothing can be sent any more
	pieces  [2][]byte   // what is sent at once
}

// The values of a length that is none.
const (
	unknown  = -1
	chunked  = -2
	bodiless = -3
)

func (r *reply) begin(e *exchange) {
	if r.room == nil {
		var ok bool
		if r.room, ok = r.c.s.rooms.Get().(*[]byte); !ok {
			room := make([]byte, 0, roomSize)
			r.room = &room
		}
	}
	clear(r.header)
	r.e, r.head, r.out, r.held, r.trailer = e, e.request.Method == http.MethodHead, (*r.room)[:0], r.held[:0], nil
	r.status, r.length, r.framed, r.sniff, r.close, r.err = 0, unknown, false, false, false, nil
}

// end gives the reply's room to others.
func (r *reply) end() {
	r.c.s.rooms.Put(r.room)
	r.room, r.out, r.held = nil, nil, nil
}

// Header implements [http.ResponseWriter].
func (r *reply) Header() http.Header { return r.header }

// EnableFullDuplex is for [http.ResponseController]: handlers may always read the
// request while they reply.
func (r *reply) EnableFullDuplex() error { return nil }

// WriteHeader implements [http.ResponseWriter]. Interim replies are sent at once.
func (r *reply) WriteHeader(status int) {
	if r.status != 0 {
		return
	}
	if 100 <= status && status < 200 && status != http.StatusSwitchingProtocols {
		r.appendStatus(status)
		r.appendFields(false)
		r.out = append(r.out, "\r\n"...)
		r.send(nil)
		return
	}
	r.status = status
	r.appendStatus(status)
	r.appendFields(true)
	switch {
	case !bodyAllowed(status):
		r.frame(bodiless, nil)
	case r.length >= 0 && !r.sniff:
		r.frame(r.length, nil)
	}
}

func (r *reply) appendStatus(status int) {
	r.out = append(r.out, "HTTP/1.1 "...)
	r.out = strconv.AppendInt(r.out, int64(status), 10)
	r.out = append(r.out, ' ')
	if text := http.StatusText(status); text != "" {
		r.out = append(r.out, text...)
	} else {
		r.out = strconv.AppendInt(append(r.out, "status code "...), int64(status), 10)
	}
	r.out = append(r.out, "\r\n"...)
}

// appendFields appends the handler's header but for what says where the body
// ends, which is not the handler's to say alone.
func (r *reply) appendFields(final bool) {
	dated, typed := false, false
	for name, values := range r.header {
		switch name {
		case "Content-Length":
			if n, err := strconv.ParseUint(first(values), 10, 63); err == nil && final {
				r.length = int64(n)
			}
			continue
		case "Transfer-Encoding":
			continue
		case "Date":
			dated = true
		case "Content-Type", "Content-Encoding":
			typed = true
			if r.status == http.StatusNotModified {
				continue
			}
		case "Connection":
			if final && httpguts.HeaderValuesContainsToken(values, "close") {
				r.close = true
				continue
			}
		case "Trailer":
			r.trailer = append(r.trailer, values...)
		}
		if !strings.HasPrefix(name, http.TrailerPrefix) {
			r.appendField(name, values)
		}
	}
	if !final {
		return
	}
	r.sniff = !typed && bodyAllowed(r.status)
	if !dated {
		r.appendField("Date", []string{r.c.s.date()})
	}
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// appendField appends header lines. Nothing in them can end a line.
func (r *reply) appendField(name string, values []string) {
	if !httpguts.ValidHeaderFieldName(name) {
		return
	}
	for _, v := range values {
		r.out = append(append(r.out, name...), ": "...)
		at := len(r.out)
		r.out = append(r.out, textproto.TrimString(v)...)
		for i := at; i < len(r.out); i++ {
			if r.out[i] == '\n' || r.out[i] == '\r' {
				r.out[i] = ' '
			}
		}
		r.out = append(r.out, "\r\n"...)
	}
}

// bodyAllowed reports whether a reply with this status can have a body [RFC 9110,
// 6.4.1].
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
