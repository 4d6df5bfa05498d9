package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// The bounds of a fetch of published keys.
const (
	maxKeySet    = 1 << 20 // bytes of a key set
	fetchTimeout = 5 * time.Second
	fetchPause   = 5 * time.Second // between two fetches of a set
)

// keySets are the published keys of all issuers.
type keySets []*keySet

// find looks in all sets. A kid that none of them knows may be a new one: then
// they are fetched again, if that was not done just now.
func (sets keySets) find(x *grapnel.Exchange, h tokenHeader) ([]verificationKey, error) {
	var found []verificationKey
	var failed error
	ctx := x.Request.Context()
	for _, again := range []bool{false, true} {
		loaded := false
		for _, s := range sets {
			keys, err := s.get(ctx, x.Log, again)
			if err != nil {
				failed = err
				continue
			}
			loaded = true
			for _, k := range keys {
				if (h.KeyID == "" || k.id == "" || k.id == h.KeyID) && k.fits(h.Algorithm) {
					found = append(found, k)
				}
			}
		}
		switch {
		case len(found) > 0:
			return found, nil
		case !loaded:
			return nil, keysUnknown(failed)
		}
	}
	return nil, errTokenKey
}

// A keySet is the keys that one URL publishes. They are fetched when they are
// first needed, and again when they are old, while the old ones go on serving;
// they do so too when the URL does not answer. No goroutine outlives a fetch.
type keySet struct {
	url     url.URL
	client  *http.Client
	refresh time.Duration
	pause   time.Duration

	mu     sync.Mutex
	keys   []verificationKey // replaced as a whole
	got    time.Time         // when keys were fetched; zero is never
	tried  time.Time         // when a fetch was last begun
	flight chan struct{}     // closed at the end of the fetch under way; nil is none
	err    error             // of the last fetch
}

func newKeySet(u url.URL, refresh time.Duration) *keySet {
	return &keySet{url: u, client: &http.Client{Timeout: fetchTimeout}, refresh: refresh, pause: fetchPause}
}

// get returns the keys. It waits for a fetch only if there are none yet, or if
// newer ones are wanted.
func (s *keySet) get(ctx context.Context, log *slog.Logger, newer bool) ([]verificationKey, error) {
	s.mu.Lock()
	old := s.refresh > 0 && time.Since(s.got) > s.refresh
	if s.flight == nil && (newer || old || s.got.IsZero()) && time.Since(s.tried) > s.pause {
		s.tried, s.flight = time.Now(), make(chan struct{})
		go s.fetch(log)
	}
	flight, wait := s.flight, newer || s.got.IsZero()
	s.mu.Unlock()
	if flight != nil && wait {
		select {
		case <-flight:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.got.IsZero() {
		return nil, s.err
	}
	return s.keys, nil
}

// fetch replaces the keys. It belongs to no request: all that wait share it.
func (s *keySet) fetch(log *slog.Logger) {
	keys, err := s.download()
	if err != nil {
		err = fmt.Errorf("keys of %s: %w", s.url.Redacted(), err)
		log.Warn("published keys not fetched, the old ones go on serving", "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err = err; err == nil {
		s.keys, s.got = keys, time.Now()
	}
	close(s.flight)
	s.flight = nil
}

func (s *keySet) download() ([]verificationKey, error) {
	resp, err := s.client.Get(s.url.String())
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // without the URL, which may hold a password
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxKeySet:
		return nil, fmt.Errorf("more than %d bytes", maxKeySet)
	}
	return parseKeySet(body)
}

// parseKeySet reads a key set [RFC 7517]. Keys that are of no use here are left
// out; a set without any other is an error, so that a fault of the issuer does
// not lock everyone out.
func parseKeySet(body []byte) ([]verificationKey, error) {
	set, err := jwk.Parse(body, jwk.WithIgnoreParseError(true))
	if err != nil {
		return nil, errors.New("not a key set")
	}
	var keys []verificationKey
	for i := range set.Len() {
		if parsed, ok := set.Key(i); ok {
			if k, ok := usable(parsed); ok {
				keys = append(keys, k)
			}
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no usable key in the set")
	}
	return keys, nil
}
