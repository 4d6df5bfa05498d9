package observe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"text/template"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// The bounds of the delivery: how many calls may wait or be under way, how many
// are made at once, how often one is tried, how long after the first failure
// (twice as long after each further one), and how many are remembered as made.
const (
	hooksWaiting    = 1024
	hooksAtOnce     = 4
	hookTries       = 6
	hookPause       = time.Second
	hooksRemembered = 10_000
)

// Webhooks tell HTTP endpoints of events [11.2]. They are bounded and never
// delay a request: what finds too many waiting is counted and dropped.
type Webhooks struct {
	log     *slog.Logger
	client  *http.Client
	pause   time.Duration
	room    chan struct{} // one for each call that waits or is under way
	queue   chan *hookCall
	dropped atomic.Uint64
	failed  atomic.Uint64
	done    sync.WaitGroup
	end     context.CancelFunc

	lock sync.Mutex
	made map[[sha256.Size]byte]time.Time // until when an equal call is not made
}

// A hookCall is a call that is to be made.
type hookCall struct {
	hook  *grapnel.Webhook
	event grapnel.Event
	body  []byte // nil until the first try
	mark  [sha256.Size]byte
	tries int
}

// NewWebhooks starts the delivery.
func NewWebhooks(log *slog.Logger) *Webhooks { return newWebhooks(log, hookPause) }

func newWebhooks(log *slog.Logger, pause time.Duration) *Webhooks {
	ctx, end := context.WithCancel(context.Background())
	w := &Webhooks{
		log: log, client: &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute}}, pause: pause,
		room: make(chan struct{}, hooksWaiting), queue: make(chan *hookCall, hooksWaiting), end: end, made: map[[sha256.Size]byte]time.Time{},
	}
	for range hooksAtOnce {
		w.done.Go(func() { w.work(ctx) })
	}
	return w
}

// Send has the endpoint told of the event. It never blocks.
func (w *Webhooks) Send(hook *grapnel.Webhook, e grapnel.Event) {
	select {
	case w.room <- struct{}{}:
		w.queue <- &hookCall{hook: hook, event: e} // has as much room
	default:
		w.dropped.Add(1)
	}
}

// Counts tells how many calls were dropped because too many waited, and how many
// were given up.
func (w *Webhooks) Counts() (dropped, failed uint64) { return w.dropped.Load(), w.failed.Load() }

// Close ends the delivery: calls under way are given up, and those that wait are
// dropped.
func (w *Webhooks) Close() {
	w.end()
	w.done.Wait()
	w.client.CloseIdleConnections()
}

func (w *Webhooks) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-w.queue:
			if !w.try(ctx, c) {
				<-w.room
			}
		}
	}
}

// try makes a call. It reports whether the call will be tried again.
func (w *Webhooks) try(ctx context.Context, c *hookCall) bool {
	if c.body == nil {
		if err := c.write(); err != nil {
			w.giveUp(c, err)
			return false
		}
		if !w.first(c) {
			return false
		}
	}
	c.tries++
	err := w.call(ctx, c)
	switch {
	case err == nil:
		return false
	case c.tries == hookTries || errors.Is(err, errRefused) || ctx.Err() != nil:
		w.forget(c)
		w.giveUp(c, err)
		return false
	}
	time.AfterFunc(w.pause<<(c.tries-1), func() { w.queue <- c }) // which has its place still
	return true
}

// giveUp tells the operator. The endpoint's URL is left out, since its path may
// be its secret.
func (w *Webhooks) giveUp(c *hookCall, err error) {
	w.failed.Add(1)
	w.log.Warn("webhook not called", "api", c.event.API.ID, "event", c.event.Type, "host", c.hook.URL.Host, "tries", c.tries, "error", err)
}

// errRefused is an answer that another try would not change.
var errRefused = errors.New("the endpoint refused the call")

func (w *Webhooks) call(ctx context.Context, c *hookCall) error {
	if c.hook.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.hook.Timeout))
		defer cancel()
	}
	r, err := http.NewRequestWithContext(ctx, c.hook.Method, c.hook.URL.String(), bytes.NewReader(c.body))
	if err != nil {
		return errRefused
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Grapnel")
	for name, value := range c.hook.Headers {
		r.Header.Set(name, value)
	}
	resp, err := w.client.Do(r)
	if err != nil {
		return errors.Unwrap(err) // a *url.Error would show the URL
	}
	defer resp.Body.Close()
	const enough = 64 << 10 // to use the connection again
	io.CopyN(io.Discard, resp.Body, enough)
	switch s := resp.StatusCode; {
	case s < 300:
		return nil
	case s >= 500 || s == http.StatusTooManyRequests || s == http.StatusRequestTimeout:
		return fmt.Errorf("it answered %s", resp.Status)
	}
	return fmt.Errorf("%w: %s", errRefused, resp.Status)
}

// first reports whether no equal call was made within the webhook's quiet time.
func (w *Webhooks) first(c *hookCall) bool {
	quiet := time.Duration(c.hook.Quiet)
	if quiet <= 0 {
		return true
	}
	c.mark = sha256.Sum256(append([]byte(c.hook.Method+" "+c.hook.URL.String()+"\n"), c.body...))
	now := time.Now()
	w.lock.Lock()
	defer w.lock.Unlock()
	if now.Before(w.made[c.mark]) {
		return false
	}
	if len(w.made) >= hooksRemembered {
		for mark, until := range w.made {
			if !now.Before(until) {
				delete(w.made, mark)
			}
		}
	}
	if len(w.made) < hooksRemembered { // else rather told twice than not at all
		w.made[c.mark] = now.Add(quiet)
	}
	return true
}

// forget lets an equal call be made, since this one was not.
func (w *Webhooks) forget(c *hookCall) {
	w.lock.Lock()
	defer w.lock.Unlock()
	delete(w.made, c.mark)
}

// write makes the body.
func (c *hookCall) write() (err error) {
	e := c.event
	if c.hook.Template == "" {
		c.body, err = json.Marshal(struct {
			Event   grapnel.EventType `json:"event"`
			Message string            `json:"message"`
			Path    string            `json:"path"`
			Origin  string            `json:"origin"`
			Key     string            `json:"key"`
		}{e.Type, e.Message, e.Path, e.Origin, e.Key})
		return err
	}
	t, err := template.ParseFiles(c.hook.Template)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Type": e.Type, "TimeStamp": e.Time.String(),
		"Meta": map[string]string{
			"Message": quoted(e.Message), "Path": quoted(e.Path), "Origin": quoted(e.Origin), "Key": quoted(e.Key), "Reason": quoted(e.Reason),
		},
	})
	c.body = append([]byte{}, b.Bytes()...)
	return err
}

// quoted escapes a text as in JSON, without the quotes around it: what a client
// sent cannot end the text that a template puts it into.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return ""
	}
	return string(b[1 : len(b)-1])
}
