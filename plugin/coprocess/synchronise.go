package coprocess

import (
	"maps"
	"slices"
)

// synchronise is the one list of headers that an answer means, which has them
// twice: headers, with one value each, and multivalue_headers. An untouched
// headers leaves the word to the list; a list that is missing as a whole
// is that of a plugin which does not know it, and changes nothing [L-24]. The
// lists of the answer are used up.
func (b *binding) synchronise(sent *sentReply, got *gotReply) []*line {
	was := sent.first()
	switch same := maps.Equal(was, got.headers); {
	case same && len(got.list) == 0 && len(got.headers) > 0:
		return sent.list()
	case same:
		return got.list
	case b.client.tyk:
		return mirror(got.list, got.headers)
	}
	return merge(sent, was, got)
}

// first is the headers that were sent, by name.
func (r *sentReply) first() map[string]string {
	out := make(map[string]string, len(r.names))
	for _, name := range r.names {
		out[text(name)] = text(r.header[name][0])
	}
	return out
}

// list is the multivalue_headers that were sent.
func (r *sentReply) list() []*line {
	out := make([]*line, 0, len(r.names))
	for _, name := range r.names {
		l := &line{name: text(name)}
		for _, v := range r.header[name] {
			l.values = append(l.values, text(v))
		}
		out = append(out, l)
	}
	return out
}

// mirror makes the list say what headers says: each of its values is the first
// of its name, and names that it lacks go.
func mirror(list []*line, headers map[string]string) []*line {
	return slices.DeleteFunc(setFirst(list, headers), func(l *line) bool {
		_, named := headers[l.name]
		return !named
	})
}

// merge makes the changes of headers on the list, and keeps the changes of the
// list itself [L-25].
func merge(sent *sentReply, was map[string]string, got *gotReply) []*line {
	changed := make(map[string]string)
	for name, value := range got.headers {
		if before, had := was[name]; !had || before != value {
			changed[name] = value
		}
	}
	removed := func(l *line) bool {
		_, had := was[l.name]
		_, has := got.headers[l.name]
		return had && !has
	}
	list := got.list
	if len(list) == 0 { // as a whole: names that headers left alone keep all they had
		list = slices.DeleteFunc(sent.list(), func(l *line) bool {
			_, edited := changed[l.name]
			return edited
		})
	}
	return slices.DeleteFunc(setFirst(list, changed), removed)
}

// setFirst gives each of these names its value, in the place of the first one it
// has in the list. A name that is listed without values stays without.
func setFirst(list []*line, first map[string]string) []*line {
	listed := make(map[string]*line, len(list))
	for _, l := range list {
		if listed[l.name] == nil {
			listed[l.name] = l
		}
	}
	for name, value := range first {
		switch l := listed[name]; {
		case l == nil:
			list = append(list, &line{name: name, values: []string{value}})
		case len(l.values) > 0:
			l.values[0] = value
		}
	}
	return list
}
