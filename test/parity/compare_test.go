package parity

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
)

// What two honest gateways may do differently is left out of the recording,
// and so it is left out here.
var (
	replyLeftOut    = []string{"Date", "X-Ratelimit-Reset", "X-Generator", "Server", "Via", "Connection", "X-Request-Id"}
	upstreamLeftOut = []string{"X-Real-Ip", "Accept-Encoding", "Connection", "Traceparent", "Via", "X-Request-Id"}
	sessionLeftOut  = []string{"last_updated", "last_check", "id_extractor_deadline", "quota_renews", "allowance", "access_rights"}
	objectLeftOut   = []string{"Date", "Content-Length"} // of the response's headers
)

const (
	echoed   = "(echo)" // stands for the upstream's echo
	long     = "(long)" // stands for a body of more than longBody bytes
	longBody = 60
)

// compareReply compares the reply to the client; echo is the last echo that
// the upstream sent.
func compareReply(t *testing.T, want outcome, got *http.Response, body, echo []byte) {
	t.Helper()
	if got.StatusCode != want.Status {
		t.Errorf("status: got %d, want %d", got.StatusCode, want.Status)
	}
	headers := got.Header.Clone()
	for _, name := range replyLeftOut {
		headers.Del(name)
	}
	if got.StatusCode == http.StatusTooManyRequests { // what the original's clients were not told
		if headers.Get("Retry-After") == "" {
			t.Error("a reply of 429 has no Retry-After")
		}
		headers.Del("Retry-After")
	}
	wantBody := want.Body
	if string(wantBody) == echoed {
		wantBody = echo
		headers.Del("Content-Length")
	}
	wantHeaders := want.Headers.Clone()
	if got.Request.Method == http.MethodHead && echo != nil {
		wantHeaders.Set("Content-Length", strconv.Itoa(len(echo))) // not the recorded echo's
	}
	if diff := gocmp.Diff(wantHeaders, headers, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("headers of the reply (-want +got):\n%s", diff)
	}
	if string(body) != string(wantBody) {
		t.Errorf("body of the reply: got %q, want %q", body, wantBody)
	}
}

// compareUpstream compares what the upstream saw.
func compareUpstream(t *testing.T, want *view, got []view) {
	t.Helper()
	var wants []view
	if want != nil {
		wants = []view{*want}
	}
	for i := range got {
		for name := range got[i].Headers {
			if slices.Contains(upstreamLeftOut, name) || strings.HasPrefix(name, "X-Forwarded-") {
				got[i].Headers.Del(name)
			}
		}
	}
	if diff := gocmp.Diff(wants, got); diff != "" {
		t.Errorf("what the upstream saw (-want +got):\n%s", diff)
	}
}

// compareObjects compares what the plugin received, as protobuf JSON.
func compareObjects(t *testing.T, want []json.RawMessage, got []plugintest.Call) {
	t.Helper()
	var wants, gots []any
	for _, raw := range want {
		wants = append(wants, bare(t, raw))
	}
	for _, c := range got {
		raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(c.Object)
		if err != nil {
			t.Fatal(err)
		}
		gots = append(gots, bare(t, raw))
	}
	if diff := gocmp.Diff(wants, gots); diff != "" {
		t.Errorf("what the plugin received (-want +got):\n%s", diff)
	}
}

type object = map[string]any

// bare decodes an Object without what is left out, and puts in order
// what has none.
func bare(t *testing.T, raw []byte) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	if session, ok := o["session"].(object); ok {
		for _, name := range sessionLeftOut {
			delete(session, name)
		}
	}
	if response, ok := o["response"].(object); ok {
		bareResponse(t, response)
	}
	return o
}

func bareResponse(t *testing.T, response object) {
	t.Helper()
	if headers, ok := response["headers"].(object); ok {
		for _, name := range objectLeftOut {
			delete(headers, name)
		}
	}
	if list, ok := response["multivalue_headers"].([]any); ok {
		list = slices.DeleteFunc(list, func(h any) bool { return slices.Contains(objectLeftOut, key(h)) })
		slices.SortFunc(list, func(a, b any) int { return cmp.Compare(key(a), key(b)) })
		response["multivalue_headers"] = list
	}
	if body, ok := response["body"].(string); ok && len(body) > longBody {
		response["body"] = long
	}
	if text, ok := response["raw_body"].(string); ok && text != long {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatalf("raw_body %q: %v", text, err)
		}
		if len(raw) > longBody {
			response["raw_body"] = long
		}
	}
}

// key is the name of an entry of multivalue_headers.
func key(header any) string {
	h, _ := header.(object)
	s, _ := h["key"].(string)
	return s
}
