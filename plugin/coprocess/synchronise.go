package coprocess

import (
	"maps"
	"slices"

	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// synchronise is the one list of headers that an answer means, which has them
// twice: headers, with one value each, and multivalue_headers. An untouched
// headers leaves the word to the list; a list that is missing as a whole
// is that of a plugin which does not know it, and changes nothing [L-24]. The
// messages that were sent stay as they are; those of the answer are used up.
func (b *binding) synchronise(sent, got *wire.ResponseObject) []*wire.Header {
	list := got.MultivalueHeaders
	switch same := maps.Equal(sent.Headers, got.Headers); {
	case same && len(list) == 0 && len(got.Headers) > 0:
		return sent.MultivalueHeaders
	case same:
		return list
	case b.client.tyk:
		return mirror(list, got.Headers)
	}
	return merge(sent, got)
}

// mirror makes the list say what headers says: each of its values is the first
// of its name, and names that it lacks go.
func mirror(list []*wire.Header, headers map[string]string) []*wire.Header {
	return slices.DeleteFunc(setFirst(list, headers), func(h *wire.Header) bool {
		_, named := headers[h.Key]
		return !named
	})
}

// merge makes the changes of headers on the list, and keeps the changes of the
// list itself [L-25].
func merge(sent, got *wire.ResponseObject) []*wire.Header {
	changed := make(map[string]string)
	for name, value := range got.Headers {
		if was, had := sent.Headers[name]; !had || was != value {
			changed[name] = value
		}
	}
	removed := func(h *wire.Header) bool {
		_, had := sent.Headers[h.Key]
		_, has := got.Headers[h.Key]
		return had && !has
	}
	list := got.MultivalueHeaders
	if len(list) == 0 { // as a whole: names that headers left alone keep all they had
		list = slices.DeleteFunc(slices.Clone(sent.MultivalueHeaders), func(h *wire.Header) bool {
			_, edited := changed[h.Key]
			return edited
		})
	}
	return slices.DeleteFunc(setFirst(list, changed), removed)
}

// setFirst gives each of these names its value, in the place of the first one it
// has in the list. A name that is listed without values stays without.
func setFirst(list []*wire.Header, first map[string]string) []*wire.Header {
	listed := make(map[string]*wire.Header, len(list))
	for _, h := range list {
		if listed[h.Key] == nil {
			listed[h.Key] = h
		}
	}
	for name, value := range first {
		switch h := listed[name]; {
		case h == nil:
			list = append(list, &wire.Header{Key: name, Values: []string{value}})
		case len(h.Values) > 0:
			h.Values[0] = value
		}
	}
	return list
}
