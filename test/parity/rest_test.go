package parity

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel/test/program"
)

// A restCall is one call of rest.json and what came back.
type restCall struct {
	Name    string `json:"name"`
	Request struct {
		Method        string `json:"method"`
		Path          string `json:"path"`
		Secret        string `json:"secret"`        // right, wrong or none
		Authorization string `json:"authorization"` // a header's line, or empty
		Body          string `json:"body"`
	} `json:"request"`
	Status      int               `json:"status"`
	ContentType string            `json:"content_type"`
	RateLimit   map[string]string `json:"rate_limit"`
	Body        any               `json:"body"`
}

// varies stands for a value that is another one every time.
const varies = "(varies)"

// TestREST: the control API answers as the original's did, and what it did has
// the same effect on requests, whatever the store.
func TestREST(t *testing.T) {
	for name, store := range stores {
		t.Run(name, func(t *testing.T) {
			s, _ := newSite(t, func(c recorded) bool { return c.ID == "pre-echo" })
			program.Start(t, s.addr, "run", "--tyk-conf", s.conf, "--store", store(t))
			for _, call := range s.restCalls(t) {
				t.Run(call.Name, func(t *testing.T) { s.rest(t, call) })
			}
		})
	}
}

// restCalls reads the calls, with the upstream at its address of today.
func (s *site) restCalls(t *testing.T) []restCall {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "rest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var calls []restCall
	if err := json.Unmarshal(bytes.ReplaceAll(b, []byte(recordedUpstream), []byte(s.upstream.addr())), &calls); err != nil {
		t.Fatal(err)
	}
	if len(calls) == 0 {
		t.Fatal("rest.json has no calls")
	}
	return calls
}

// rest makes one call and compares the reply.
func (s *site) rest(t *testing.T, call restCall) {
	r, err := http.NewRequestWithContext(t.Context(), call.Request.Method, "http://"+s.addr+call.Request.Path, strings.NewReader(call.Request.Body))
	if err != nil {
		t.Fatal(err)
	}
	switch call.Request.Secret {
	case "right":
		r.Header.Set("X-Tyk-Authorization", secret)
	case "wrong":
		r.Header.Set("X-Tyk-Authorization", "not-the-secret")
	}
	if name, value, ok := strings.Cut(call.Request.Authorization, ": "); ok {
		r.Header.Set(name, value)
	}
	resp, err := (&http.Client{Timeout: 20 * time.Second}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != call.Status {
		t.Errorf("status: got %d, want %d", resp.StatusCode, call.Status)
	}
	if got := resp.Header.Get("Content-Type"); !sameType(got, call.ContentType) {
		t.Errorf("Content-Type: got %q, want %q", got, call.ContentType)
	}
	for name, want := range call.RateLimit {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	_, echo := s.upstream.take()
	compareRESTBody(t, call, body, echo)
}

func sameType(got, want string) bool {
	a, _, errA := mime.ParseMediaType(got)
	b, _, errB := mime.ParseMediaType(want)
	return errA == nil && errB == nil && a == b
}

func compareRESTBody(t *testing.T, call restCall, body, echo []byte) {
	t.Helper()
	if text, ok := call.Body.(string); ok {
		if text == echoed {
			text = string(echo)
		}
		if string(body) != text || text == "" {
			t.Errorf("body: got %q, want %q", body, text)
		}
		return
	}
	var got any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	if o, ok := got.(object); ok && call.Request.Path == "/hello" {
		delete(o, "details") // the recording leaves them out
	}
	if diff := gocmp.Diff(call.Body, alike(call.Body, got)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

// alike returns got, but for the values that vary and are there.
func alike(want, got any) any {
	if want == varies {
		return varies
	}
	wanted, ok := want.(object)
	members, is := got.(object)
	if !ok || !is {
		return got
	}
	for name, member := range members {
		members[name] = alike(wanted[name], member)
	}
	return members
}
