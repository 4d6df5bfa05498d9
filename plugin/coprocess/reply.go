package coprocess

import (
	"bytes"
	"net/http"

	"golang.org/x/net/http/httpguts"
	"google.golang.org/protobuf/encoding/protowire"
)

// A sentReply is the upstream's reply as it was sent to a Response hook. It
// shares header values with the reply, and its list is as long as the message
// lives.
type sentReply struct {
	status int
	body   content
	text   []byte // the copy of body that is sent as text
	header http.Header
	names  []string // of header, as far as it is sent, in the order of multivalue_headers
	plain  bool     // an echo of header means the header itself
}

// maxPlain is up to how many headers an echo is recognised without building
// them anew.
const maxPlain = 64

// describe adds the upstream's reply, whose body is this, to a question [B-28].
func (b *binding) describe(q *question, resp *http.Response, body content) {
	q.reply = sentReply{
		status: resp.StatusCode, body: body, text: b.bodyText(body.Bytes), header: resp.Header,
		names: make([]string, 0, len(resp.Header)), plain: len(resp.Header) <= maxPlain,
	}
	r := &q.reply
	for name, values := range resp.Header {
		r.plain = r.plain && plainHeader(name, values)
		if len(values) > 0 && b.sees(name) {
			r.names = append(r.names, name)
		}
	}
	response := q.begin(objectResponse)
	q.varint(responseStatusCode, uint64(int32(r.status)))
	q.bytes(responseRawBody, r.body.Bytes)
	q.bytes(responseBody, r.text)
	for _, name := range r.names {
		q.entry(responseHeaders, name, r.header[name][0])
	}
	for _, name := range r.names {
		q.line(responseMultivalueHeaders, name, r.header[name])
	}
	if !b.client.tyk {
		b.writeTrailers(&q.message, responseTrailers, resp.Trailer, r.body.Share)
		q.part(responseBodyTruncated, responseBodySize, r.body.Share)
	}
	q.end(response)
}

// plainHeader says that a header which comes back as it was sent is, to the
// byte, the one that there was.
func plainHeader(name string, values []string) bool {
	if len(values) == 0 || name == "Transfer-Encoding" || !httpguts.ValidHeaderFieldName(name) || name != http.CanonicalHeaderKey(name) {
		return false
	}
	for _, v := range values {
		if unfit(v) {
			return false
		}
	}
	return true
}

// A gotReply is the reply that a Response hook returned.
type gotReply struct {
	given  bool
	status int32
	body   []byte
	text   []byte // where it is not the one that was sent

	// headers and list are headers and multivalue_headers, but when they
	// mean the header that was sent.
	headers  map[string]string
	list     []*line
	trailers []*line

	same
}

// same follows, field by field, whether headers are those that were sent.
type same struct {
	edited  bool
	headers int    // how many there were
	seen    uint64 // which, by their place in the names
	lines   int    // how many there were
}

// unchanged says that what was returned means the header that was sent: both
// forms are as they were, or the list is missing as a whole, as from a plugin
// that does not know it [A-43, L-24].
func (s *same) unchanged(sent *sentReply) bool {
	return sent.plain && !s.edited && s.headers == len(sent.names) && (s.lines == len(sent.names) || s.lines == 0)
}

func (r *gotReply) read(sent *sentReply, data []byte) error {
	r.given = true
	f := fields{rest: data}
	for f.next() {
		var err error
		switch {
		case f.num == responseStatusCode && f.typ == protowire.VarintType:
			r.status = int32(f.value)
		case f.typ != protowire.BytesType:
		case f.num == responseRawBody:
			r.body = f.bytes
		case f.num == responseBody:
			r.text = nil // the last one counts
			if !bytes.Equal(f.bytes, sent.text) {
				r.text, err = f.bytes, checkText(f.bytes)
			}
		case f.num == responseHeaders:
			err = r.readEntry(sent, f.bytes)
		case f.num == responseMultivalueHeaders:
			err = r.readLine(sent, f.bytes)
		case f.num == responseTrailers:
			err = readLine(&r.trailers, f.bytes)
		}
		if err != nil {
			return err
		}
	}
	return f.err
}

// readEntry compares an entry of headers, which come in any order.
func (s *same) readEntry(sent *sentReply, data []byte) error {
	key, value, err := entry(data)
	if err != nil {
		return err
	}
	s.headers++
	if s.edited || !sent.plain {
		s.edited = true
		return nil
	}
	for i, name := range sent.names {
		if string(key) == name {
			s.edited = s.seen&(1<<i) != 0 || string(value) != sent.header[name][0]
			s.seen |= 1 << i
			return nil
		}
	}
	s.edited = true
	return nil
}

// readLine compares an element of multivalue_headers, which keep their order.
func (s *same) readLine(sent *sentReply, data []byte) error {
	var name string
	var values []string
	if sent.plain && s.lines < len(sent.names) {
		name = sent.names[s.lines]
		values = sent.header[name]
	}
	s.lines++
	keys, matched := 0, 0
	f := fields{rest: data}
	for f.next() {
		if f.typ != protowire.BytesType {
			continue
		}
		if err := check(f.bytes, headerKind.field(f.num)); err != nil {
			return err
		}
		switch {
		case f.num == headerKey && string(f.bytes) == name:
			keys++
		case f.num == headerValues && matched < len(values) && string(f.bytes) == values[matched]:
			matched++
		case f.num == headerKey || f.num == headerValues:
			s.edited = true
		}
	}
	s.edited = s.edited || keys != 1 || matched != len(values)
	return f.err
}

// returnedHeaders builds headers and multivalue_headers of an answer that was
// read already.
func returnedHeaders(data []byte) (headers map[string]string, list []*line) {
	object := fields{rest: data}
	for object.next() {
		if object.num != objectResponse || object.typ != protowire.BytesType {
			continue
		}
		f := fields{rest: object.bytes}
		for f.next() {
			switch {
			case f.typ != protowire.BytesType:
			case f.num == responseHeaders:
				putEntry(&headers, f.bytes) // has no fault, as it was read before
			case f.num == responseMultivalueHeaders:
				list = append(list, returnedLine(f.bytes))
			}
		}
	}
	return headers, list
}

func returnedLine(data []byte) *line {
	l := &line{}
	f := fields{rest: data}
	for f.next() {
		switch {
		case f.typ != protowire.BytesType:
		case f.num == headerKey:
			l.name = string(f.bytes)
		case f.num == headerValues:
			l.values = append(l.values, string(f.bytes))
		}
	}
	return l
}
