package tryout

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// Effects says in words what a gateway in native mode does because of the
// answer, in the order in which it does it. An answer without effect has one
// line, too.
func (a *Answer) Effects() []string {
	lines, err := a.effects()
	if err != nil {
		reply := `500 "Middleware error"`
		if a.Sent.HookType == wire.HookType_CustomKeyCheck {
			reply = `403 "Key not authorised"`
		}
		return []string{"fails the hook: " + err.Error(), "answers the client: " + reply}
	}
	if len(lines) == 0 {
		what := "request"
		if a.Sent.HookType == wire.HookType_Response {
			what = "reply"
		}
		lines = append(lines, "lets the "+what+" pass unchanged")
	}
	return append(lines, a.ignored()...)
}

// effects are the changes that count. An error is a fault of the plugin, for
// which the gateway uses nothing of the answer.
func (a *Answer) effects() ([]string, error) {
	if a.Sent.HookType == wire.HookType_Response {
		return replyEffects(orEmpty(a.Sent.Response), a.Got.Response)
	}
	sent, got := orEmpty(a.Sent.Request), a.Got.Request
	if got == nil { // changes nothing [L-12]
		got = sent
	}
	lines, err := requestEffects(sent, got)
	if err != nil {
		return nil, err
	}
	if code := got.GetReturnOverrides().GetResponseCode(); code > 0 {
		return overrideEffects(got.ReturnOverrides)
	}
	if a.Sent.HookType != wire.HookType_CustomKeyCheck {
		return lines, nil
	}
	caller := sessionEffects(a.Got)
	if strings.HasPrefix(caller[0], "refuses") {
		return caller, nil
	}
	return append(caller, lines...), nil
}

// requestEffects are those on the request, in the order of [A-1…A-13]. Of two
// fields about one name the older one counts.
func requestEffects(sent, got *wire.MiniRequestObject) ([]string, error) {
	var lines []string
	if body, changed := newBody(sent, got); changed {
		lines = append(lines, bodyEffect("request", body))
	}
	for _, effects := range []func(sent, got *wire.MiniRequestObject) ([]string, error){
		headerChanges, trailerChanges, urlChange, paramChanges, methodChange,
	} {
		more, err := effects(sent, got)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	return lines, nil
}

func headerChanges(sent, got *wire.MiniRequestObject) ([]string, error) {
	older := map[string]bool{} // what an older field has a word about
	var late []string
	for _, name := range got.DeleteHeaders {
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, fmt.Errorf("delete_headers: %.64q is not a header name", name)
		}
		name := http.CanonicalHeaderKey(name)
		older[name] = true
		if name == "Host" {
			late = append(late, "ignores delete_headers: Host cannot be removed")
		} else if !holds(got.SetHeaders, name) {
			late = append(late, "removes header "+name)
		}
	}
	if err := checkHeaders("set_headers", got.SetHeaders); err != nil {
		return nil, err
	}
	for _, given := range sorted(got.SetHeaders) {
		name := http.CanonicalHeaderKey(given)
		older[name] = true
		if name == "Host" {
			late = append(late, "ignores set_headers: Host cannot be set")
			continue
		}
		late = append(late, fmt.Sprintf("sets header %s: %s", name, short(got.SetHeaders[given])))
	}
	values, added := headerEntries(got.MultivalueHeaders), headerEntries(got.AppendHeaders)
	if err := errors.Join(checkEntries("multivalue_headers", values), checkEntries("append_headers", added)); err != nil {
		return nil, err
	}
	lines := append(valueChanges("header", ": ", ", ", headerOf(sent), values, older), late...)
	for _, e := range added {
		lines = append(lines, fmt.Sprintf("adds to header %s: %s", e.name, short(strings.Join(e.values, ", "))))
	}
	return lines, nil
}

func urlChange(sent, got *wire.MiniRequestObject) ([]string, error) {
	if got.Url == sent.Url {
		return nil, nil
	}
	u, err := url.ParseRequestURI(got.Url)
	if err != nil || u.Opaque != "" || u.Path == "*" {
		return nil, fmt.Errorf("url: %.200q is neither a path nor an absolute URL", got.Url)
	}
	if u.Scheme == "tyk" {
		return []string{"hands the request to another API: " + short(got.Url)}, nil
	}
	return []string{"changes the URL to " + short(got.Url)}, nil
}

func paramChanges(sent, got *wire.MiniRequestObject) ([]string, error) {
	older := map[string]bool{}
	var late []string
	for _, name := range got.DeleteParams {
		older[name] = true
		if _, set := got.AddParams[name]; !set {
			late = append(late, "removes parameter "+name)
		}
	}
	for _, name := range sorted(got.AddParams) {
		older[name] = true
		late = append(late, "sets parameter "+name+"="+short(got.AddParams[name]))
	}
	was := map[string][]string{}
	if u, err := url.ParseRequestURI(sent.Url); err == nil {
		was = u.Query()
	}
	lines := append(valueChanges("parameter", "=", ", ", was, paramEntries(got.MultivalueParams), older), late...)
	for _, e := range paramEntries(got.AppendParams) {
		lines = append(lines, fmt.Sprintf("adds to parameter %s=%s", e.name, short(strings.Join(e.values, ", "))))
	}
	return lines, nil
}

func methodChange(sent, got *wire.MiniRequestObject) ([]string, error) {
	method := cmp.Or(got.Method, http.MethodGet)
	if got.Method == sent.Method {
		return nil, nil
	}
	if !httpguts.ValidHeaderFieldName(method) {
		return nil, fmt.Errorf("method: %.64q is not a method", method)
	}
	return []string{"changes the method to " + method}, nil
}

// newBody is the body that the request gets, if another than it has: raw_body
// wins where it was changed, body where raw_body was left alone or emptied
// [A-2, L-19, L-24].
func newBody(sent, got *wire.MiniRequestObject) ([]byte, bool) {
	same := bytes.Equal(got.RawBody, sent.RawBody)
	if got.Body != "" && (same && got.Body != sent.Body || len(got.RawBody) == 0) {
		return []byte(got.Body), got.Body != string(sent.RawBody)
	}
	return got.RawBody, !same
}

func bodyEffect(of string, body []byte) string {
	if len(body) == 0 {
		return "empties the " + of + "'s body"
	}
	return fmt.Sprintf("replaces the %s's body by %d bytes: %s", of, len(body), short(quoteBytes(body)))
}

// overrideEffects are those of an answer to the client [A-20…A-22].
func overrideEffects(o *wire.ReturnOverrides) ([]string, error) {
	code := int(o.ResponseCode)
	if code < 200 || code > 599 {
		return nil, fmt.Errorf("return_overrides.response_code: %d is not the status of a reply", code)
	}
	several := headerEntries(o.MultivalueHeaders)
	if err := errors.Join(checkHeaders("return_overrides.headers", o.Headers), checkEntries("return_overrides.multivalue_headers", several)); err != nil {
		return nil, err
	}
	message := cmp.Or(o.ResponseError, o.ResponseBody)
	line := fmt.Sprintf("answers the client: %d %s", code, http.StatusText(code))
	switch {
	case code >= 400 && !o.OverrideError:
		line += fmt.Sprintf(", an error page that says %s", short(strconv.Quote(cmp.Or(message, "Key not authorised"))))
	case message == "":
		line += ", without a body"
	default:
		line += ", with the body " + short(strconv.Quote(message))
	}
	lines := []string{line}
	for _, name := range sorted(o.Headers) {
		lines = append(lines, fmt.Sprintf("its header %s: %s", http.CanonicalHeaderKey(name), short(o.Headers[name])))
	}
	for _, e := range several {
		if !holds(o.Headers, e.name) {
			lines = append(lines, fmt.Sprintf("its header %s: %s", e.name, short(strings.Join(e.values, ", "))))
		}
	}
	return append(lines, "does not ask the upstream, nor any further hook"), nil
}

// sessionEffects are those of an answer about the caller [C-4…C-9].
func sessionEffects(got *wire.Object) []string {
	s := got.Session
	token := cmp.Or(got.Metadata["token"], s.GetMetadata()["token"])
	if set, ok := got.Metadata["token"]; ok {
		token = set
	}
	switch {
	case s == nil:
		return []string{"refuses the caller: 403 Forbidden, because there is no session"}
	case token == "":
		return []string{`refuses the caller: 403 Forbidden, because metadata["token"] is missing`}
	}
	lines := []string{fmt.Sprintf("lets the caller in, under the token %s", short(strconv.Quote(token)))}
	if s.Rate > 0 && s.Per > 0 {
		lines = append(lines, fmt.Sprintf("limits the caller to %v requests in %v s", s.Rate, s.Per))
	}
	if s.QuotaMax > 0 {
		lines = append(lines, fmt.Sprintf("limits the caller to a quota of %d requests in %d s", s.QuotaMax, s.QuotaRenewalRate))
	}
	if s.IsInactive {
		lines = append(lines, "refuses the caller after all: the session is_inactive")
	}
	metadata := maps.Clone(s.GetMetadata())
	for k, v := range got.Metadata {
		put(&metadata, k, v)
	}
	delete(metadata, "token")
	for _, key := range sorted(metadata) {
		lines = append(lines, fmt.Sprintf("keeps the metadata %s: %s", key, short(metadata[key])))
	}
	return lines
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// holds says whether a header is among the keys, in whatever case.
func holds(headers map[string]string, canonical string) bool {
	for name := range headers {
		if http.CanonicalHeaderKey(name) == canonical {
			return true
		}
	}
	return false
}

// orEmpty is the message, or an empty one where there is none.
func orEmpty[M any](m *M) *M {
	if m == nil {
		return new(M)
	}
	return m
}

// checkHeaders refuses what HTTP forbids and what frames messages.
func checkHeaders(field string, headers map[string]string) error {
	for _, name := range sorted(headers) {
		if err := checkHeader(field, name, headers[name]); err != nil {
			return err
		}
	}
	return nil
}

func checkHeader(field, name, value string) error {
	fault := ""
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		fault = "not a header name"
	case strings.EqualFold(name, "Content-Length"), strings.EqualFold(name, "Transfer-Encoding"):
		fault = "the gateway frames messages itself"
	case !httpguts.ValidHeaderFieldValue(value):
		fault = "the value has a line break or another control character"
	default:
		return nil
	}
	return fmt.Errorf("%s[%.64q]: %s", field, name, fault)
}
