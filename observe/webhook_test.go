package observe

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// A listener is an endpoint that answers with the statuses in turn, the last one
// for ever, and hands out what it was told.
type listener struct {
	*httptest.Server
	calls chan call
}

type call struct{ method, agent, kind, extra, body string }

func listen(t *testing.T, statuses ...int) *listener {
	t.Helper()
	l := &listener{calls: make(chan call, 100)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(statuses[0])
		if len(statuses) > 1 {
			statuses = statuses[1:]
		}
		l.calls <- call{r.Method, r.UserAgent(), r.Header.Get("Content-Type"), r.Header.Get("X-Extra"), string(body)}
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) hook(t *testing.T) *grapnel.Webhook {
	t.Helper()
	u, err := url.Parse(l.URL + "/secret-path")
	if err != nil {
		t.Fatal(err)
	}
	w := &grapnel.Webhook{URL: &grapnel.URL{URL: *u}}
	w.SetDefaults()
	return w
}

func quick(t *testing.T, log io.Writer) *Webhooks {
	t.Helper()
	w := newWebhooks(slog.New(slog.NewTextHandler(log, nil)), time.Millisecond)
	t.Cleanup(w.Close)
	return w
}

func failure(message string) grapnel.Event {
	return grapnel.Event{
		Type: grapnel.EventAuthFailure, API: &grapnel.API{ID: "a"}, Message: message, Path: `/a/"x"`, Origin: "10.0.0.1", Key: "k",
	}
}

// The body is that of the original's stock template, whatever is in the path;
// headers are the operator's [11.2].
func TestWebhookCall(t *testing.T) {
	l := listen(t, 200)
	hook := l.hook(t)
	w := quick(t, io.Discard)
	w.Send(hook, failure("Auth Failure"))
	got := <-l.calls
	want := call{"POST", "Grapnel", "application/json", "", `{"event":"AuthFailure","message":"Auth Failure","path":"/a/\"x\"","origin":"10.0.0.1","key":"k"}`}
	if got != want {
		t.Error(cmp.Diff(want, got, cmp.AllowUnexported(call{})))
	}
	hook.Method = "PUT"
	hook.Headers = map[string]string{"x-extra": "1", "User-Agent": "Tyk-Hookshot", "content-type": "text/plain"}
	w.Send(hook, failure("Auth Failure"))
	got = <-l.calls
	got.body = ""
	if want := (call{"PUT", "Tyk-Hookshot", "text/plain", "1", ""}); got != want {
		t.Error(cmp.Diff(want, got, cmp.AllowUnexported(call{})))
	}
}

// A template's texts are escaped: a client cannot end them.
func TestWebhookTemplate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hook.json")
	const text = `{"event": "{{.Type}}", "path": "{{.Meta.Path}}", "who": "{{.Meta.Key}} from {{.Meta.Origin}}"}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := listen(t, 200)
	hook := l.hook(t)
	hook.Template = file
	quick(t, io.Discard).Send(hook, failure("Auth Failure"))
	var got map[string]string
	if err := json.Unmarshal([]byte((<-l.calls).body), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"event": "AuthFailure", "path": `/a/"x"`, "who": "k from 10.0.0.1"}, got); diff != "" {
		t.Error(diff)
	}
}

// What fails is tried again until it works; what is refused is not.
func TestWebhookTries(t *testing.T) {
	l := listen(t, 500, 429, 503, 200)
	w := quick(t, io.Discard)
	hook := l.hook(t)
	w.Send(hook, failure("one"))
	for range 4 {
		if got := <-l.calls; !strings.Contains(got.body, "one") {
			t.Errorf("called with %s", got.body)
		}
	}
	w.Send(hook, failure("two"))
	if got := <-l.calls; !strings.Contains(got.body, "two") {
		t.Errorf("a call that worked was made again: %s", got.body)
	}

	log := &strings.Builder{}
	refuser, dead := listen(t, 404), listen(t, 200)
	w = newWebhooks(slog.New(slog.NewTextHandler(log, nil)), time.Millisecond)
	w.Send(refuser.hook(t), failure("no"))
	hook = dead.hook(t)
	dead.Close()
	w.Send(hook, failure("nobody there"))
	for _, failed := w.Counts(); failed < 2; _, failed = w.Counts() {
		time.Sleep(time.Millisecond)
	}
	w.Close()
	if len(refuser.calls) != 1 || strings.Count(log.String(), "webhook not called") != 2 || !strings.Contains(log.String(), "tries=6") {
		t.Errorf("%d calls of who refused, log %s", len(refuser.calls), log)
	}
	if strings.Contains(log.String(), "secret-path") {
		t.Error("the log shows the endpoint's path")
	}
}

// Equal calls are made once within the quiet time; one that failed does not
// count [Z-12].
func TestWebhookQuiet(t *testing.T) {
	l := listen(t, 404, 200)
	w := quick(t, io.Discard)
	hook := l.hook(t)
	hook.Quiet = grapnel.Duration(time.Hour)
	w.Send(hook, failure("same")) // refused
	<-l.calls
	for _, failed := w.Counts(); failed < 1; _, failed = w.Counts() {
		time.Sleep(time.Millisecond)
	}
	for range 5 {
		w.Send(hook, failure("same"))
	}
	w.Send(hook, failure("other"))
	got := map[string]int{}
	for range 2 {
		c := <-l.calls
		got[c.body]++
	}
	for len(w.room) > 0 {
		time.Sleep(time.Millisecond)
	}
	if len(got) != 2 || len(l.calls) != 0 {
		t.Errorf("told %v and %d more", got, len(l.calls))
	}
}

// An endpoint that hangs delays nobody: what finds too many waiting is dropped.
func TestWebhooksNeverDelay(t *testing.T) {
	hold := make(chan struct{})
	l := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer l.Close()
	defer close(hold)
	w := newWebhooks(slog.New(slog.DiscardHandler), time.Millisecond)
	hook := (&listener{Server: l}).hook(t)
	for range hooksWaiting + 10 {
		w.Send(hook, failure("x"))
	}
	if dropped, _ := w.Counts(); dropped != 10 {
		t.Errorf("%d dropped, want 10", dropped)
	}
	w.Close()
}
