package coprocess

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// L-4: what editQuery does to odd queries.
func TestEditQuery(t *testing.T) {
	set := func(pairs ...string) map[string]string {
		out := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return out
	}
	tests := []struct {
		name, raw string
		remove    []string
		set       map[string]string
		want      string
	}{
		{"nothing", "a=%7e&&b;c&%zz", nil, nil, "a=%7e&&b;c&%zz"},
		{"odd pairs stay", "a=%7e&&b;c&%zz&x=1", []string{"x"}, nil, "a=%7e&&b;c&%zz"},
		{"empty query", "", []string{"x"}, set("b", "2", "a", "1 &"), "a=1+%26&b=2"},
		{"encoded name", "%61=1&a=2&b", []string{"a"}, nil, "b"},
		{"in place of the first", "x=0&a=1&y=0&a=2", nil, set("a", "9"), "x=0&a=9&y=0"},
		{"same value keeps bytes", "a=%31", nil, set("a", "1"), "a=%31"},
		{"deleted and set is set", "a=1&b=2", []string{"a"}, set("a", "3"), "a=3&b=2"},
		{"unreadable value goes too", "a=%zz&b", []string{"a"}, nil, "b"},
		{"unreadable value is replaced", "a=%zz&b", nil, set("a", "1"), "a=1&b"},
		{"semicolon does not hide a name", "a=1;b=2&c", []string{"a"}, nil, "c"},
		{"name without text", "=1&&b", []string{""}, nil, "&b"},
		{"not UTF-8", "\xff=1&b", []string{"\uFFFD"}, nil, "b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := editQuery(test.raw, test.remove, test.set); got != test.want {
				t.Errorf("editQuery(%q, %q, %v) = %q, want %q", test.raw, test.remove, test.set, got, test.want)
			}
		})
	}
}

// A well-formed query means after editQuery what the map of A-7 says, and pairs
// that were not named are there, in order.
func FuzzEditQuery(f *testing.F) {
	f.Add("a=1&b=2&a=3", "b", "a", "9")
	f.Add("a=%7e&&b;c&%zz&=x", "a", "n", "")
	f.Add("%61=1&\xff=2", "\uFFFD", "a", "1")
	f.Fuzz(func(t *testing.T, raw, remove, name, value string) {
		if !utf8.ValidString(raw) || !utf8.ValidString(name) || !utf8.ValidString(value) || strings.Count(raw, "&") > 1000 {
			return // plugins return UTF-8; the model knows no other
		}
		got := editQuery(raw, []string{remove}, map[string]string{name: value})
		have, _ := url.ParseQuery(got)
		want, err := url.ParseQuery(raw)
		if err == nil && validPairs(want) {
			want.Del(remove)
			want.Set(name, value)
			if !maps.EqualFunc(have, want, slices.Equal) {
				t.Errorf("editQuery(%q, %q, %q=%q) = %q, which means %v; want %v", raw, remove, name, value, got, have, want)
			}
		}
		if !slices.Equal(have[name], []string{value}) {
			t.Errorf("editQuery(%q, %q, %q=%q) = %q", raw, remove, name, value, got)
		}
		untouched := func(pair string) bool {
			n, ok := pairName(pair)
			return !ok || n != remove && n != name
		}
		if before, after := filter(pairs(raw), untouched), filter(pairs(got), untouched); !slices.Equal(before, after) {
			t.Errorf("untouched pairs %q became %q", before, after)
		}
	})
}

func validPairs(v url.Values) bool {
	for name, values := range v {
		if !utf8.ValidString(name) || slices.ContainsFunc(values, unfit) {
			return false
		}
	}
	return true
}

func filter(in []string, keep func(string) bool) (out []string) {
	for _, s := range in {
		if keep(s) {
			out = append(out, s)
		}
	}
	return out
}

// B-11: params are the first values that url.ParseQuery finds.
func FuzzParams(f *testing.F) {
	f.Add("x=1&x=2&y=3&%zz=4&a;b=5&&=6&q")
	f.Fuzz(func(t *testing.T, raw string) {
		if strings.Count(raw, "&") > 1000 {
			return // the standard library has a limit
		}
		want, _ := url.ParseQuery(raw)
		m := message{}
		request := m.begin(objectRequest)
		m.params(raw)
		m.end(request)
		o := &wire.Object{}
		if err := proto.Unmarshal(m.buf, o); err != nil {
			t.Fatal(err)
		}
		got := o.Request.Params
		if !validPairs(want) {
			return
		}
		if len(got) != len(want) {
			t.Fatalf("params(%q) = %v, want %v", raw, got, want)
		}
		for name, values := range want {
			if got[name] != values[0] {
				t.Errorf("params(%q)[%q] = %q, want %q", raw, name, got[name], values[0])
			}
		}
	})
}
