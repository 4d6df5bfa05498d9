package coprocess

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
)

// A line is a name and all its values: a header or a trailer, or a parameter.
type line struct {
	name   string
	values []string
}

// line adds a message that is a name and all its values.
func (m *message) line(num protowire.Number, name string, values []string) {
	l := m.begin(num)
	m.string(headerKey, name)
	m.strings(headerValues, values)
	m.end(l)
}

// readLine reads what line writes.
func readLine(list *[]*line, data []byte) error {
	l := &line{}
	f := fields{rest: data}
	for f.next() {
		var err error
		switch {
		case f.typ != protowire.BytesType:
		case f.num == headerKey:
			err = putText(&l.name, f.bytes)
		case f.num == headerValues:
			err = addText(&l.values, f.bytes)
		}
		if err != nil {
			return err
		}
	}
	*list = append(*list, l)
	return f.err
}

// A grouped list has one line for each name, with all its values.
type grouped struct {
	list   []*line
	byName map[string]*line
}

func (g *grouped) add(name string, values ...string) {
	l := g.byName[name]
	if l == nil {
		if g.byName == nil {
			g.byName = map[string]*line{}
		}
		l = &line{name: name}
		g.list, g.byName[name] = append(g.list, l), l
	}
	l.values = append(l.values, values...)
}

// writeSeveral writes what the fields of the original lose of a request: all
// values of what has several, and trailers [L-4, L-17]. A request that has none of
// these looks as it always did.
func (b *binding) writeSeveral(q *question, r *http.Request, query string) {
	for name, values := range r.Header {
		if len(values) > 1 && b.sees(name) {
			q.line(requestMultivalueHeaders, name, values)
		}
	}
	if strings.Contains(query, "&") && repeats(query) {
		for _, p := range paramsOf(query) {
			if len(p.values) > 1 {
				q.line(requestMultivalueParams, p.name, p.values)
			}
		}
	}
	b.writeTrailers(&q.message, requestTrailers, r.Trailer, q.body.Share)
}

// part says how large a body is that is not sent whole.
func (m *message) part(truncated, size protowire.Number, body grapnel.Share) {
	if body.Part {
		m.bool(truncated, true)
		m.varint(size, uint64(body.Size))
	}
}

// under groups returned header fields by the names that they have, or will have,
// in h; name says how a new name is kept. The host is no business of theirs.
func under(h http.Header, returned []*line, name func(string) string) []*line {
	var all grouped
	for _, l := range returned {
		key := l.name
		if _, known := h[key]; !known {
			key = name(key)
		}
		if key != "Host" {
			all.add(key, l.values...)
		}
	}
	return all.list
}

// changed leaves the lines that did not come back as they were sent.
func changed(h http.Header, lines []*line) []*line {
	return slices.DeleteFunc(lines, func(l *line) bool {
		was, known := h[l.name]
		return known && slices.EqualFunc(was, l.values, func(was, is string) bool { return text(was) == is })
	})
}

// checkLines refuses header fields that a plugin must not set. Values of h that
// are still there get the bytes that they had.
func checkLines(field string, h http.Header, lines []*line) error {
	for _, l := range lines {
		if err := checkName(l.name); err != nil {
			return fmt.Errorf("%s[%.64q]: %w", field, l.name, err)
		}
		old := h[l.name]
		lost := unsent(http.Header{l.name: old})
		for i, v := range l.values {
			v = lost.take(l.name, v)
			if err := checkValue(v); err != nil && !slices.Contains(old, v) {
				return fmt.Errorf("%s[%.64q]: %w", field, l.name, err)
			}
			l.values[i] = v
		}
	}
	return nil
}

// newTrailer is the trailer that an answer makes of old; nil is old itself.
func newTrailer(field string, old http.Header, returned []*line) (http.Header, error) {
	lines := changed(old, under(old, returned, http.CanonicalHeaderKey))
	if len(lines) == 0 {
		return nil, nil
	}
	if err := checkLines(field, old, lines); err != nil {
		return nil, err
	}
	out := make(http.Header, len(old)+len(lines))
	maps.Copy(out, old)
	for _, l := range lines {
		if !httpguts.ValidTrailerHeader(l.name) {
			return nil, fmt.Errorf("%s[%.64q]: not the name of a trailer", field, l.name)
		}
		putValues(out, l)
	}
	return out, nil
}

// putValues gives a header field the values of a line, which may be none.
func putValues(h http.Header, l *line) {
	if len(l.values) == 0 {
		delete(h, l.name)
		return
	}
	grapnel.SetHeader(h, l.name, "")
	h[l.name] = l.values
}

// addValues adds the values of a line to those of a header field.
func addValues(h http.Header, l *line) {
	putValues(h, &line{l.name, slices.Concat(h[l.name], l.values)})
}
