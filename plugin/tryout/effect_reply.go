package tryout

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// replyEffects are those of a Response hook's answer [A-41…A-47].
func replyEffects(sent, got *wire.ResponseObject) ([]string, error) {
	if got == nil {
		return nil, errors.New("response: missing")
	}
	if code := got.StatusCode; code != sent.StatusCode && (code < 200 || code > 599) {
		return nil, fmt.Errorf("response.status_code: %d is not the status of a reply", code)
	}
	was, is := listed(sent.MultivalueHeaders), replyHeader(sent, got)
	lines, err := headerEffects(was, is)
	if err != nil {
		return nil, err
	}
	if got.StatusCode != sent.StatusCode {
		lines = append(lines, fmt.Sprintf("changes the status to %d %s", got.StatusCode, http.StatusText(int(got.StatusCode))))
	}
	if !bytes.Equal(got.RawBody, sent.RawBody) {
		lines = append(lines, bodyEffect("reply", got.RawBody))
	} else if got.Body != sent.Body && got.Body != "" {
		lines = append(lines, bodyEffect("reply", []byte(got.Body)))
	}
	trailers, err := trailerEffects("response.trailers", "reply trailer", sent.Trailers, got.Trailers)
	return append(lines, trailers...), err
}

// replyHeader is the reply's header as the answer means it: the list of all
// values, with the changes that were made in headers [L-24, L-25].
func replyHeader(sent, got *wire.ResponseObject) http.Header {
	list := got.MultivalueHeaders
	if len(list) == 0 && len(got.Headers) > 0 {
		list = sent.MultivalueHeaders
	}
	out := listed(list)
	for name, value := range got.Headers {
		if old, had := sent.Headers[name]; had && old == value {
			continue
		}
		if len(out[name]) > 0 && len(got.MultivalueHeaders) > 0 {
			out[name][0] = value
		} else {
			out[name] = []string{value}
		}
	}
	for name := range sent.Headers {
		if _, has := got.Headers[name]; !has && !maps.Equal(sent.Headers, got.Headers) {
			delete(out, name)
		}
	}
	return out
}

// listed is a list of header fields as a map.
func listed(list []*wire.Header) http.Header {
	out := http.Header{}
	for _, h := range list {
		out[h.GetKey()] = append(out[h.GetKey()], h.GetValues()...)
	}
	return out
}

// headerEffects are the differences of two headers.
func headerEffects(was, is http.Header) ([]string, error) {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if len(is[name]) == 0 {
			lines = append(lines, "removes reply header "+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		switch {
		case slices.Equal(was[name], is[name]):
			continue
		case !httpguts.ValidHeaderFieldName(name):
			return nil, fmt.Errorf("response headers: %.64q is not a header name", name)
		case http.CanonicalHeaderKey(name) == "Transfer-Encoding":
			return nil, fmt.Errorf("response headers[%q]: the gateway frames messages itself", name)
		case slices.ContainsFunc(is[name], func(v string) bool { return !httpguts.ValidHeaderFieldValue(v) }):
			return nil, fmt.Errorf("response headers[%.64q]: the value has a line break or another control character", name)
		case len(is[name]) > 0:
			lines = append(lines, fmt.Sprintf("sets reply header %s: %s", http.CanonicalHeaderKey(name), short(strings.Join(is[name], ", "))))
		}
	}
	return lines, nil
}
