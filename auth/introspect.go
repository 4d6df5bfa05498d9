package auth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/grapnel-gateway/grapnel"
)

// The bounds of an introspection: of an answer in bytes, of how many answers an
// API remembers, and of how many questions are under way at once.
const (
	maxAnswer   = 1 << 20
	maxAnswers  = 16 << 10
	maxInquirer = 64
)

// introspection lets callers in who present a token of a foreign authorization
// server, which says whose it is [RFC 7662]. From there on the answer is what
// the claims of a verified JWT are.
//
// Every API has answers of its own, and so has each endpoint that it asks: what
// one server says of a token means nothing to those who trust another.
type introspection struct {
	*bearer
	settings grapnel.IntrospectionAuth
	client   *http.Client
	slots    chan struct{}
	answers  *otter.Cache[[sha256.Size]byte, answered] // nil remembers nothing

	mu      sync.Mutex
	inquiry map[[sha256.Size]byte]*inquiry // under way
}

// answered is an answer and until when it is believed. No claims are those of a
// token that is not active.
type answered struct {
	claims claims
	until  time.Time
}

// An inquiry is a question that is under way; all who present the token wait for
// it.
type inquiry struct {
	done   chan struct{}
	claims claims
	err    error
}

func newIntrospection(k known, c grapnel.IntrospectionAuth) (*introspection, error) {
	i := &introspection{
		bearer: &bearer{known: k, realm: c.URL.Redacted() + "\x00", config: grapnel.JWTAuth{
			Issuer: c.Issuer, Audience: c.Audience, IdentityClaim: c.IdentityClaim,
			PolicyClaim: c.PolicyClaim, DefaultPolicies: c.DefaultPolicies, Scope: c.Scope,
		}},
		settings: c,
		client: &http.Client{
			Timeout: time.Duration(c.Timeout),
			// The token and the gateway's secret go where the operator said.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots:   make(chan struct{}, maxInquirer),
		inquiry: map[[sha256.Size]byte]*inquiry{},
	}
	if c.Cache <= 0 {
		return i, nil
	}
	var err error
	i.answers, err = otter.New(&otter.Options[[sha256.Size]byte, answered]{MaximumSize: maxAnswers})
	return i, err
}

// Authenticate asks about the token and finds, or makes, the caller's session.
func (i *introspection) Authenticate(x *grapnel.Exchange) (*http.Response, error) {
	p, _, err := i.prove(x)
	if p.settle == nil {
		return nil, err
	}
	return nil, p.settle(true)
}

// errInactive is what the log is told of a token that does not count.
var errInactive = errors.New("the authorization server says that the token is not active")

// prove implements [prover].
func (i *introspection) prove(x *grapnel.Exchange) (p proof, _ *http.Response, _ error) {
	raw := bare(i.settings.Credential.Find(x.Request))
	if raw == "" {
		return p, nil, refuse(http.StatusBadRequest, tokenMissing)
	}
	c, err := i.about(x.Request.Context(), raw)
	switch {
	case err != nil:
		return p, nil, grapnel.Unavailable(fmt.Errorf("introspection: %w", err))
	case c == nil:
		return p, nil, i.fail(x, http.StatusForbidden, tokenRefused, errInactive)
	}
	if reason := i.invalid(c, time.Now()); reason != "" {
		return p, nil, i.fail(x, http.StatusUnauthorized, tokenRefused+": "+reason, nil)
	}
	x.Session, p, err = i.identify(x, c)
	return p, nil, err
}

// about returns what is said of the token, from memory where that is allowed; nil
// is a token that is not active. Who asks about one that is asked about already
// waits for that answer.
func (i *introspection) about(ctx context.Context, token string) (claims, error) {
	id := sha256.Sum256([]byte(token)) // the memory of answers holds no token
	if i.answers != nil {
		if a, ok := i.answers.GetIfPresent(id); ok && time.Now().Before(a.until) {
			return a.claims, nil
		}
	}
	i.mu.Lock()
	q := i.inquiry[id]
	if q == nil {
		q = &inquiry{done: make(chan struct{})}
		i.inquiry[id] = q
		go i.inquire(id, token, q)
	}
	i.mu.Unlock()
	select {
	case <-q.done:
		return q.claims, q.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inquire asks, and remembers the answer. It belongs to no request: all that
// wait share it, and it ends with the client's timeout.
func (i *introspection) inquire(id [sha256.Size]byte, token string, q *inquiry) {
	q.claims, q.err = i.ask(token)
	if q.err == nil && i.answers != nil {
		until := time.Now().Add(time.Duration(i.settings.Cache))
		if exp, given, ok := q.claims.time("exp"); given && ok {
			if end := time.Unix(int64(exp), 0); end.Before(until) {
				until = end
			}
		}
		i.answers.Set(id, answered{q.claims, until})
	}
	i.mu.Lock()
	delete(i.inquiry, id)
	i.mu.Unlock()
	close(q.done)
}

// ask asks the authorization server. Its errors hold neither token nor secret.
func (i *introspection) ask(token string) (claims, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i.settings.Timeout))
	defer cancel()
	select {
	case i.slots <- struct{}{}:
		defer func() { <-i.slots }()
	case <-ctx.Done():
		return nil, errors.New("too many questions are under way")
	}
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.settings.URL.String(), strings.NewReader(form))
	if err != nil {
		return nil, errors.New("the request cannot be made")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if i.settings.ClientID != "" {
		r.SetBasicAuth(url.QueryEscape(i.settings.ClientID), url.QueryEscape(i.settings.ClientSecret)) // [RFC 6749 2.3.1]
	}
	resp, err := i.client.Do(r)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // without the URL, which may hold a password
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the authorization server says %d", resp.StatusCode)
	}
	return readAnswer(resp.Body)
}

// readAnswer reads what is said of a token; nil is that it is not active. What
// does not say that it is active says that it is not.
func readAnswer(body io.Reader) (claims, error) {
	var c claims
	d := json.NewDecoder(io.LimitReader(body, maxAnswer))
	d.UseNumber()
	if d.Decode(&c) != nil {
		return nil, errors.New("the answer is not an object of JSON")
	}
	if c["active"] != true {
		return nil, nil
	}
	return c, nil
}
