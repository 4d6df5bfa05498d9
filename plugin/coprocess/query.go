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
