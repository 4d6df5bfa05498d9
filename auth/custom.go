package auth

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// Custom makes the authenticator that gives the sessions of a plugin a life
// beyond their request: ask calls the plugin and leaves its session on the
// exchange, under the token that the plugin named. The session is completed with
// what is stored of it, gets its policies [C-10, C-11], and is stored once all
// methods of the API have passed [C-15]. With an extractor, whose nil is none,
// the plugin is not asked while the session of the request's id is fresh [I-11].
//
// Of concurrent requests with one id that has no fresh session, one asks. The
// others wait, no longer than their clients do, for the session that it stores.
// They take it when it is fresh, and ask for themselves when it is not: a
// refusal may be about other parts of that request and is never shared. Who asks
// about an id whose sessions are never fresh (their deadline is 0) does not wait
// for anyone [I-13].
func Custom(api *grapnel.API, ask grapnel.Authenticator, keys grapnel.Keys, extractor *Extractor, events grapnel.Events) grapnel.Authenticator {
	return &custom{known: known{api, keys, events}, ask: ask, extractor: extractor}
}

type custom struct {
	known
	ask       grapnel.Authenticator
	extractor *Extractor
	flights   flights
	warned    atomic.Bool // of a deadline that never comes
}

// Authenticate proves the caller where no other method has a say: the session is
// stored at once.
func (c *custom) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	p, resp, err := c.prove(x)
	if p.settle == nil {
		return resp, err
	}
	return nil, p.settle(true)
}

// prove implements [prover].
func (c *custom) prove(x *grapnel.Exchange) (proof, *http.Response, error) {
	if c.extractor == nil {
		return c.asked(x, "", nil)
	}
	text, err := c.extractor.Extract(x)
	if err != nil {
		return proof{}, nil, err
	}
	sum := md5.Sum([]byte(text))                                // a name for the text, not its protection
	id := c.keys.Token(c.api.OrgID, hex.EncodeToString(sum[:])) // [I-10]
	stored, err := c.load(x, id)
	switch {
	case err != nil:
		return proof{}, nil, err
	case fresh(stored):
		return c.taken(x, stored), nil, nil
	case stored != nil && stored.IDExtractorDeadline == 0:
		return c.asked(x, id, nil)
	}
	f, err := c.flights.join(x.Request.Context(), id)
	if err != nil {
		return proof{}, nil, c.failed(x, err)
	}
	// In the meantime another request may have stored a session.
	if stored, err = c.load(x, id); err != nil || fresh(stored) {
		c.flights.end(f, false)
		if err != nil {
			return proof{}, nil, err
		}
		return c.taken(x, stored), nil, nil
	}
	return c.asked(x, id, f)
}

// load returns the session that is stored under an id, or nil.
func (c *custom) load(x *grapnel.Exchange, id string) (*grapnel.Session, error) {
	s, err := c.keys.Load(x.Request.Context(), id)
	if errors.Is(err, grapnel.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, c.failed(x, err)
	}
	return s, nil
}

// fresh reports whether the plugin need not be asked about a session yet.
func fresh(s *grapnel.Session) bool {
	return s != nil && s.IDExtractorDeadline > time.Now().Unix()
}

// taken attaches a stored session. Its time in the store is renewed, if it has
// one [C-15].
func (c *custom) taken(x *grapnel.Exchange, s *grapnel.Session) proof {
	x.Session = s
	ttl := c.api.Sessions.TTL(s, time.Now())
	if ttl == 0 {
		return proof{certain: true}
	}
	return proof{certain: true, settle: func(keep bool) error {
		if !keep {
			return nil
		}
		ctx := x.Request.Context()
		stored, err := c.keys.Stored(ctx, s.KeyID)
		if err == nil {
			err = c.keys.Save(ctx, stored, ttl)
		}
		if errors.Is(err, grapnel.ErrNotFound) {
			err = nil // deleted just now: the next request asks again
		}
		return c.failed(x, err)
	}}
}

// asked asks the plugin. Its session goes under the extracted id, or else its
// token [C-9, I-12].
func (c *custom) asked(x *grapnel.Exchange, id string, f *flight) (p proof, resp *http.Response, err error) {
	ctx := x.Request.Context()
	defer func() {
		if p.settle == nil { // refused
			c.flights.end(f, ctx.Err() != nil)
		}
	}()
	before := x.Session
	if resp, err = c.ask.Authenticate(x); resp != nil || err != nil {
		return proof{}, resp, err
	}
	s := x.Session
	if s == before || s.KeyID == "" { // let in while the plugin is down: the session is not its own
		return proof{}, nil, nil
	}
	s.OrgID = c.api.OrgID // [C-8]
	if id != "" {
		s.KeyID = id
		if s.Extra == nil {
			s.Extra = map[string]json.RawMessage{}
		}
		s.Extra[extractedMark] = json.RawMessage("true")
		c.checkDeadline(x, s)
	}
	stored, err := c.keys.Stored(ctx, s.KeyID)
	switch {
	case err == nil:
		inherit(s, stored)
	case !errors.Is(err, grapnel.ErrNotFound):
		return proof{}, nil, c.failed(x, err)
	}
	applied := *s
	if err := c.keys.Apply(&applied); err != nil {
		return proof{}, nil, c.fail(x, http.StatusForbidden, "Forbidden", err)
	}
	x.Session = &applied
	return proof{settle: func(keep bool) error {
		stored := false
		defer func() { c.flights.end(f, !stored && ctx.Err() != nil) }()
		if !keep {
			return nil
		}
		kept := s
		if c.api.Sessions.Hashed {
			kept = withoutToken(s)
		}
		if err := c.keys.Save(ctx, kept, c.api.Sessions.TTL(s, time.Now())); err != nil {
			return c.failed(x, err)
		}
		stored, applied.StoreID = true, kept.StoreID
		return nil
	}}, nil, nil
}

// withoutToken is the session without the credential that stands for it, which
// the original leaves in the metadata [C-6].
func withoutToken(s *grapnel.Session) *grapnel.Session {
	kept := *s
	kept.Metadata = maps.Clone(s.Metadata)
	delete(kept.Metadata, "token")
	return &kept
}

// checkDeadline warns, once, of a deadline so far away that it must have been
// meant in milliseconds: the plugin would hardly ever be asked again [L-35].
func (c *custom) checkDeadline(x *grapnel.Exchange, s *grapnel.Session) {
	limit := time.Now().AddDate(10, 0, 0).Unix()
	if s.IDExtractorDeadline > limit && c.warned.CompareAndSwap(false, true) {
		x.Log.Warn("the plugin's id_extractor_deadline is more than ten years away; it is in seconds since 1970",
			"api", c.api.ID, "id_extractor_deadline", s.IDExtractorDeadline)
	}
}

// failed is the answer when the keys cannot be read or written. A client that
// has left is nobody's fault.
func (c *custom) failed(x *grapnel.Exchange, err error) error {
	switch {
	case err == nil:
		return nil
	case x.Request.Context().Err() != nil:
		return &grapnel.Error{Status: grapnel.StatusClientGone, Code: grapnel.CodeClientGone, Message: "Client closed request", Err: err}
	}
	return grapnel.Unavailable(err)
}
