package coprocess

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/grapnel-gateway/grapnel"
)

type values map[string][]string

// list is the multivalue_headers with these values, by name.
func list(v values) (out []*line) {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		out = append(out, &line{name, slices.Clone(v[name])})
	}
	return out
}

// reply is a reply that was sent with the headers of v.
func (v values) reply() *sentReply {
	return &sentReply{header: http.Header(v), names: slices.Sorted(maps.Keys(v))}
}

// flat is what a list means.
func flat(list []*line) values {
	out := values{}
	for _, h := range list {
		if len(h.values) > 0 {
			out[h.name] = append(out[h.name], h.values...)
		}
	}
	return out
}

func syncBinding(compat grapnel.Compat) *binding {
	return &binding{client: &Client{tyk: compat == grapnel.CompatTyk}, stage: grapnel.Response}
}

// T-83…T-90 [A-43…A-45, L-24, L-25].
func TestSynchronise(t *testing.T) {
	type m = map[string]string
	tests := []struct {
		name        string
		sent        values
		headers     m
		list        values
		tyk, native values // nil native is that of tyk
	}{
		{"T-83 adding", values{"Header1": {"oldValue1"}}, m{"Header1": "value1", "Header2": "value2"}, values{"Header1": {"oldValue1"}},
			values{"Header1": {"value1"}, "Header2": {"value2"}}, nil},
		{"T-84 removing", values{"Header1": {"oldValue1"}, "Header2": {"oldValue2"}}, m{"Header1": "value1"}, values{"Header1": {"oldValue1"}, "Header2": {"oldValue2"}},
			values{"Header1": {"value1"}}, nil},
		{"T-85 updating", values{"Header1": {"oldValue1"}}, m{"Header1": "newValue1"}, values{"Header1": {"oldValue1"}},
			values{"Header1": {"newValue1"}}, nil},
		{"T-86 keeping", values{"Header": {"oldValue1", "value2"}}, m{"Header": "newValue1"}, values{"Header": {"oldValue1", "value2"}},
			values{"Header": {"newValue1", "value2"}}, nil},
		{"T-87 empty list", values{"Header": {"oldValue1", "value2"}}, m{"Header": "newValue1"}, nil,
			values{"Header": {"newValue1"}}, nil},
		{"T-88 cookies", values{"Set-Cookie": {"a", "b", "c"}}, m{"Set-Cookie": "n"}, values{"Set-Cookie": {"a", "b", "c"}},
			values{"Set-Cookie": {"n", "b", "c"}}, nil},
		{"T-88b list only", values{"A": {"1"}}, m{"A": "1"}, values{"A": {"1"}, "C": {"1"}},
			values{"A": {"1"}, "C": {"1"}}, nil},
		{"removed from list only", values{"A": {"1"}, "B": {"2"}}, m{"A": "1", "B": "2"}, values{"A": {"1"}},
			values{"A": {"1"}}, nil},
		{"all removed", values{"A": {"1"}}, m{}, nil, values{}, nil},
		{"T-89 both changed", values{"A": {"1"}}, m{"A": "2"}, values{"A": {"1"}, "C": {"3"}},
			values{"A": {"2"}}, values{"A": {"2"}, "C": {"3"}}},
		{"headers added, list removed", values{"A": {"1"}, "B": {"2"}}, m{"A": "1", "B": "2", "C": "3"}, values{"A": {"1"}},
			values{"A": {"1"}, "B": {"2"}, "C": {"3"}}, values{"A": {"1"}, "C": {"3"}}},
		{"T-90 list missing", values{"Set-Cookie": {"a", "b"}}, m{"Set-Cookie": "a"}, nil,
			values{"Set-Cookie": {"a", "b"}}, nil},
		{"list missing, headers added", values{"Set-Cookie": {"a", "b"}, "A": {"1"}}, m{"Set-Cookie": "a", "C": "3"}, nil,
			values{"Set-Cookie": {"a"}, "C": {"3"}}, values{"Set-Cookie": {"a", "b"}, "C": {"3"}}},
		{"entry without values", values{"A": {"1"}}, m{"A": "2"}, values{"A": {}}, values{}, nil},
		{"case counts", values{"A": {"1"}}, m{"A": "1", "a": "2"}, values{"A": {"1"}}, values{"A": {"1"}, "a": {"2"}}, nil},
	}
	for _, compat := range bothModes {
		for _, test := range tests {
			t.Run(string(compat)+"/"+test.name, func(t *testing.T) {
				want := test.tyk
				if compat == grapnel.CompatNative && test.native != nil {
					want = test.native
				}
				sent := test.sent.reply()
				before := sent.header.Clone()
				got := syncBinding(compat).synchronise(sent, &gotReply{headers: test.headers, list: list(test.list)})
				if diff := cmp.Diff(want, flat(got)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(before, sent.header); diff != "" {
					t.Error("what was sent has changed:", diff)
				}
			})
		}
	}
}

// model is the rule of in the plainest words, on lists without
// duplicate names.
func model(sent, headers map[string]string, list values) values {
	if maps.Equal(sent, headers) {
		return list
	}
	out := values{}
	for k, v := range headers {
		old, listed := list[k]
		switch {
		case !listed:
			out[k] = []string{v}
		case len(old) > 0:
			out[k] = append([]string{v}, old[1:]...)
		}
	}
	return out
}

// nativeModel is L-25: both sides' changes count; headers win where they meet.
func nativeModel(sent, headers map[string]string, list values) values {
	out := maps.Clone(list)
	for k := range sent {
		if _, kept := headers[k]; !kept {
			delete(out, k)
		}
	}
	for k, v := range headers {
		if was, had := sent[k]; had && was == v {
			continue
		}
		old, listed := list[k]
		switch {
		case !listed:
			out[k] = []string{v}
		case len(old) > 0:
			out[k] = append([]string{v}, old[1:]...)
		}
	}
	return out
}

// The rule against its models, on lists that are there.
func TestSynchroniseModel(t *testing.T) {
	name := rapid.SampledFrom([]string{"A", "B", "C", "a"})
	value := rapid.SampledFrom([]string{"1", "2", "3"})
	rapid.Check(t, func(t *rapid.T) {
		sent := values(rapid.MapOf(name, rapid.SliceOfN(value, 1, 3)).Draw(t, "sent")).reply()
		headers := rapid.OneOf(rapid.MapOf(name, value), rapid.Just(sent.first())).Draw(t, "headers")
		v := values(rapid.MapOfN(name, rapid.SliceOfN(value, 1, 3), 1, 4).Draw(t, "list"))
		for _, compat := range bothModes {
			want := model(sent.first(), headers, v)
			if compat == grapnel.CompatNative {
				want = nativeModel(sent.first(), headers, v)
			}
			got := syncBinding(compat).synchronise(sent, &gotReply{headers: maps.Clone(headers), list: list(v)})
			if diff := cmp.Diff(want, flat(got)); diff != "" {
				t.Fatalf("%s: %s", compat, diff)
			}
		}
	})
}
