package tryout

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// An entry is a header, a trailer or a parameter with all its values.
type entry struct {
	name   string
	values []string
}

// headerEntries has one entry for each name, by its canonical form. The host is no
// business of theirs.
func headerEntries(list []*wire.Header) []entry {
	var all []entry
	for _, h := range list {
		if name := http.CanonicalHeaderKey(h.GetKey()); name != "Host" {
			all = gather(all, name, h.GetValues())
		}
	}
	return all
}

// paramEntries has one entry for each name.
func paramEntries(list []*wire.Param) []entry {
	var all []entry
	for _, p := range list {
		all = gather(all, p.GetName(), p.GetValues())
	}
	return all
}

func gather(all []entry, name string, values []string) []entry {
	for i := range all {
		if all[i].name == name {
			all[i].values = append(slices.Clip(all[i].values), values...)
			return all
		}
	}
	return append(all, entry{name, values})
}

// checkEntries refuses what HTTP forbids and what frames messages.
func checkEntries(field string, list []entry) error {
	for _, e := range list {
		for _, value := range append([]string{""}, e.values...) { // the name too, where there is no value
			if err := checkHeader(field, e.name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// headerOf is the request's header as it was sent: the first value of each name,
// and all of those that have several.
func headerOf(r *wire.MiniRequestObject) map[string][]string {
	out := map[string][]string{}
	for name, value := range r.Headers {
		out[http.CanonicalHeaderKey(name)] = []string{value}
	}
	for _, e := range headerEntries(r.MultivalueHeaders) {
		out[e.name] = e.values
	}
	return out
}

// valueChanges are the entries that differ from what there was, as lines. Those
// that an older field has a word about are left to it.
func valueChanges(kind, sign, between string, was map[string][]string, list []entry, older map[string]bool) []string {
	var lines []string
	for _, e := range list {
		old, had := was[e.name]
		switch {
		case older[e.name], had && slices.Equal(old, e.values):
		case len(e.values) > 0:
			lines = append(lines, "sets "+kind+" "+e.name+sign+short(strings.Join(e.values, between)))
		case had:
			lines = append(lines, "removes "+kind+" "+e.name)
		}
	}
	return lines
}

// trailerChanges are those of the request's trailers.
func trailerChanges(sent, got *wire.MiniRequestObject) ([]string, error) {
	return trailerEffects("trailers", "trailer", sent.Trailers, got.Trailers)
}

// trailerEffects are the differences between the trailers that were sent and
// those that came back.
func trailerEffects(field, kind string, sent, got []*wire.Header) ([]string, error) {
	was := map[string][]string{}
	for _, e := range headerEntries(sent) {
		was[e.name] = e.values
	}
	list := headerEntries(got)
	if err := checkEntries(field, list); err != nil {
		return nil, err
	}
	for _, e := range list {
		if _, had := was[e.name]; !had && !httpguts.ValidTrailerHeader(e.name) {
			return nil, fmt.Errorf("%s[%.64q]: not the name of a trailer", field, e.name)
		}
	}
	return valueChanges(kind, ": ", ", ", was, list, nil), nil
}
