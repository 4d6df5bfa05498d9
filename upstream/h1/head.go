package h1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

var (
	errHeadTooLarge = errors.New("the header of the reply is too large")
	errMalformed    = errors.New("malformed reply")
)

func malformed(what, text string) error {
	const enough = 80
	return fmt.Errorf("%w: %s %q", errMalformed, what, text[:min(len(text), enough)])
}

// readHead reads lines up to the empty one, and returns all of them.
func (c *conn) readHead(limit int) (string, error) {
	c.head = c.head[:0]
	for line := 0; ; {
		part, err := c.br.ReadSlice('\n')
		c.head = append(c.head, part...)
		c.now.answered = c.now.answered || len(part) > 0
		if len(c.head) > limit {
			return "", errHeadTooLarge
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && !c.now.answered:
			return "", errClosed
		case err != nil:
			return "", early(err)
		}
		if n := len(c.head) - line; n == 1 || n == 2 && c.head[line] == '\r' {
			return string(c.head), nil
		}
		line = len(c.head)
	}
}

// parseStatus reads the status line, and returns the lines after it.
func parseStatus(head string, r *http.Response) (fields string, err error) {
	line, fields := cutLine(head)
	proto, status, _ := strings.Cut(line, " ")
	if len(proto) != len("HTTP/1.1") || proto[:7] != "HTTP/1." || !isDigit(proto[7]) {
		return "", malformed("status line", line)
	}
	code, reason, _ := strings.Cut(status, " ")
	if len(code) != 3 || code[0] < '1' || code[0] > '9' || !isDigit(code[1]) || !isDigit(code[2]) || !httpguts.ValidHeaderFieldValue(reason) {
		return "", malformed("status line", line)
	}
	r.Proto, r.ProtoMajor, r.ProtoMinor = proto, 1, int(proto[7]-'0')
	r.Status = status
	r.StatusCode = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	return fields, nil
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// cutLine cuts off a line, which ends with CRLF, or LF alone [RFC 9112, 2.2].
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// manyFields is how many header lines memory is set aside for beforehand.
const manyFields = 1000

// parseFields reads header lines up to the empty one. A value that goes on in
// the next line becomes one line [RFC 9112, 5.2]. What could be read in two ways
// is refused: a space before the colon, a control character, a length in two lines.
func parseFields(s string) (http.Header, error) {
	n := min(strings.Count(s, "\n")-1, manyFields)
	h := make(http.Header, n)
	values := make([]string, n) // one allocation for most of them
	for {
		line, rest := cutLine(s)
		if line == "" {
			return h, nil
		}
		text, folded := line, false
		for rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
			line, rest = cutLine(rest)
			text, folded = strings.TrimRight(text, " \t")+" "+strings.Trim(line, " \t"), true
		}
		s = rest
		name, value, ok := strings.Cut(text, ":")
		if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) || folded && framing(name) {
			return nil, malformed("header line", text)
		}
		name, value = textproto.CanonicalMIMEHeaderKey(name), textproto.TrimString(value)
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

// The lengths of bodies that are not known beforehand.
const (
	inChunks  = -1 // in chunks
	untilEnds = -2 // until the connection ends
)

// frame works out where the body of the reply to such a request ends [RFC 9112,
// 6.3], and whether the connection does with it.
func (r *response) frame(method string) (length int64, err error) {
	h := r.Header
	connection := h["Connection"]
	r.Close = httpguts.HeaderValuesContainsToken(connection, "close")
	switch {
	case r.ProtoMinor == 0:
		r.Close = r.Close || !httpguts.HeaderValuesContainsToken(connection, "keep-alive")
	case r.Close:
		delete(h, "Connection")
	}
	chunked, err := r.chunked()
	if err != nil {
		return 0, err
	}
	announced, err := contentLength(h)
	if err != nil {
		return 0, err
	}
	bodiless := r.StatusCode < 200 || r.StatusCode == http.StatusNoContent || r.StatusCode == http.StatusNotModified
	if chunked && (announced >= 0 || bodiless) {
		r.Close = true // whoever sent it may mean another end [RFC 9112, 6.1]
	}
	switch {
	case method == http.MethodHead:
		r.ContentLength = announced
	case bodiless:
	case chunked:
		delete(h, "Content-Length")
		r.ContentLength, length = -1, inChunks
	case announced >= 0:
		r.ContentLength, length = announced, announced
	default:
		r.ContentLength, length, r.Close = -1, untilEnds, true
	}
	if chunked {
		r.encoding[0] = "chunked"
		r.TransferEncoding = r.encoding[:]
		r.Trailer, err = announcedTrailers(h)
	}
	return length, err
}

// chunked reports whether the body is in chunks, the one encoding there is.
func (r *response) chunked() (bool, error) {
	encodings, ok := r.Header["Transfer-Encoding"]
	if !ok {
		return false, nil
	}
	delete(r.Header, "Transfer-Encoding")
	if r.ProtoMinor == 0 || len(encodings) != 1 || !strings.EqualFold(encodings[0], "chunked") {
		return false, malformed("Transfer-Encoding", strings.Join(encodings, ", "))
	}
	return true, nil
}

// contentLength is the announced length, -1 for none. Several have to agree.
func contentLength(h http.Header) (int64, error) {
	lengths, ok := h["Content-Length"]
	if !ok {
		return -1, nil
	}
	for _, l := range lengths[1:] {
		if l != lengths[0] {
			return 0, malformed("Content-Length", strings.Join(lengths, ", "))
		}
	}
	h["Content-Length"] = lengths[:1]
	n, err := strconv.ParseUint(lengths[0], 10, 63)
	if err != nil {
		return 0, malformed("Content-Length", lengths[0])
	}
	return int64(n), nil
}

// announcedTrailers are the names that the Trailer header lists, without values.
func announcedTrailers(h http.Header) (http.Header, error) {
	lines, ok := h["Trailer"]
	if !ok {
		return nil, nil
	}
	delete(h, "Trailer")
	var trailer http.Header
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if name = textproto.TrimString(name); name == "" {
				continue
			}
			if framing(name) {
				return nil, malformed("Trailer", line)
			}
			if trailer == nil {
				trailer = http.Header{}
			}
			trailer[textproto.CanonicalMIMEHeaderKey(name)] = nil
		}
	}
	return trailer, nil
}
