package coprocess

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// parsePair reads one pair of a raw query as url.ParseQuery does.
func parsePair(pair string) (key, value string, ok bool) {
	if pair == "" || strings.Contains(pair, ";") {
		return "", "", false
	}
	key, value, _ = strings.Cut(pair, "=")
	key, err := url.QueryUnescape(key)
	if err != nil {
		return "", "", false
	}
	value, err = url.QueryUnescape(value)
	return text(key), text(value), err == nil
}

// A queryEdit is what a plugin wants of a query, in this order: so that of two
// words about one parameter, the older one counts.
type queryEdit struct {
	values []*line // parameters with all their values
	remove []string
	set    map[string]string
	add    []*line // further values
}

func (e *queryEdit) none() bool { return len(e.values)+len(e.remove)+len(e.set)+len(e.add) == 0 }

// apply makes the changes to a raw query.
func (e *queryEdit) apply(raw string) string {
	raw = editQuery(setValues(raw, e.values), e.remove, e.set)
	if len(e.add) > 0 {
		raw = appendValues(raw, e.add)
	}
	return raw
}

// editQuery removes parameters from a raw query and sets others, each to one
// value. Everything that is not named stays as it is, byte for byte and in its
// place; a parameter that is set takes the place of its first value, and new
// ones follow at the end, by name [L-4]. Pairs that are not well-formed count
// too: an upstream may read them more leniently.
func editQuery(raw string, remove []string, set map[string]string) string {
	if len(remove) == 0 && len(set) == 0 {
		return raw
	}
	gone := make(map[string]bool, len(remove))
	for _, name := range remove {
		gone[name] = true
	}
	placed := make(map[string]bool, len(set))
	var out []string
	for _, pair := range pairs(raw) {
		name, named := pairName(pair)
		value, replaced := set[name]
		switch {
		case !named:
			out = append(out, pair)
		case replaced && !placed[name]:
			placed[name] = true
			out = append(out, setPair(pair, name, value))
		case !replaced && !gone[name]:
			out = append(out, pair)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if !placed[name] {
			out = append(out, newPair(name, set[name]))
		}
	}
	return strings.Join(out, "&")
}

func pairs(raw string) []string {
	if raw == "" {
		return nil
	}
	return strings.Split(raw, "&")
}

// pairName is the name that a pair gives a value to, if it has a readable one.
func pairName(pair string) (name string, ok bool) {
	key, _, _ := strings.Cut(pair, "=")
	name, err := url.QueryUnescape(key)
	return text(name), err == nil && pair != ""
}

// setPair is pair with this value; one that has it already keeps its bytes.
func setPair(pair, name, value string) string {
	if _, was, ok := parsePair(pair); ok && was == value {
		return pair
	}
	return newPair(name, value)
}

// setValues gives parameters several values. They take the places of those that
// there are, where an equal one keeps its bytes; what is left over follows at the
// end.
func setValues(raw string, lines []*line) string {
	if len(lines) == 0 {
		return raw
	}
	left := make(map[string][]string, len(lines))
	for _, l := range lines {
		left[l.name] = l.values
	}
	var out []string
	for _, pair := range pairs(raw) {
		name, _ := pairName(pair)
		values, named := left[name]
		switch {
		case !named || pair == "":
			out = append(out, pair)
		case len(values) > 0:
			out = append(out, setPair(pair, name, values[0]))
			left[name] = values[1:]
		}
	}
	for _, l := range lines {
		for _, v := range left[l.name] {
			out = append(out, newPair(l.name, v))
		}
	}
	return strings.Join(out, "&")
}

// appendValues adds parameters at the end.
func appendValues(raw string, lines []*line) string {
	out := pairs(raw)
	for _, l := range lines {
		for _, v := range l.values {
			out = append(out, newPair(l.name, v))
		}
	}
	return strings.Join(out, "&")
}

// paramsOf groups the well-formed pairs of a raw query by their names, in the
// order in which those begin.
func paramsOf(raw string) []*line {
	var params grouped
	for _, pair := range pairs(raw) {
		if name, value, ok := parsePair(pair); ok {
			params.add(name, value)
		}
	}
	return params.list
}

// repeats says whether some parameter of a raw query may have several values. It
// allocates nothing for a query of ordinary length, and says yes to a long one.
func repeats(raw string) bool {
	var seen [16]string
	for n := 0; raw != ""; n++ {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		name, ok := pairName(pair)
		if n == len(seen) || ok && slices.Contains(seen[:n], name) {
			return true
		}
		seen[n] = name
	}
	return false
}

func newPair(name, value string) string {
	return url.QueryEscape(name) + "=" + url.QueryEscape(value)
}

// tykQuery is the query of the original after a hook: parameters change the
// query that there was before the hook; when the one there is now says the same,
// it keeps its bytes, else it is written anew with its names sorted.
func tykQuery(before, now string, remove []string, set map[string]string) string {
	want, _ := url.ParseQuery(before) // what is not well-formed is dropped
	for _, name := range remove {
		want.Del(name)
	}
	for name, value := range set {
		want.Set(name, value)
	}
	if have, _ := url.ParseQuery(now); maps.EqualFunc(have, want, slices.Equal) {
		return now
	}
	return want.Encode()
}
