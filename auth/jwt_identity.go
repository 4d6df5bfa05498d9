package auth

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// identityMark is the key of a session's metadata that says that an issuer's
// tokens stand for the session, as the original has it. Its value is the
// session's key.
const identityMark = "TykJWTSessionID"

// identify returns the session of the identity that a verified token names, and
// what stores it, so that its limits outlive the token. It has the token's
// policies whenever they change. Where no policies are configured, a token gives
// the right to the API and nothing is stored.
func (b *bearer) identify(x *grapnel.Exchange, c claims) (s *grapnel.Session, p proof, err error) {
	who := b.identity(c)
	if who == "" {
		return nil, p, b.fail(x, http.StatusForbidden, tokenRefused, errTokenWho)
	}
	sum := md5.Sum([]byte(b.realm + who)) // a name, not a secret: the original's id for it
	key := b.keys.Token(b.api.OrgID, hex.EncodeToString(sum[:]))
	if !b.leadsToPolicies() {
		return passing(b.api, key, who), p, nil
	}
	policies, ok := b.policies(c)
	if !ok {
		return nil, p, b.fail(x, http.StatusForbidden, tokenNoPolicy, nil)
	}
	ctx := x.Request.Context()
	stored, err := b.keys.Stored(ctx, key)
	switch {
	case errors.Is(err, grapnel.ErrNotFound):
		stored = &grapnel.Session{KeyID: key, OrgID: b.api.OrgID, Alias: who}
	case err != nil:
		return nil, p, grapnel.Unavailable(err)
	case slices.Equal(stored.ApplyPolicies, policies):
		if s, err := b.keys.Load(ctx, key); err == nil {
			return s, b.renewal(x, stored, s), nil
		}
	}
	changed := stored.Clone()
	changed.ApplyPolicies, changed.ApplyPolicyID = policies, ""
	if changed.Metadata == nil {
		changed.Metadata = map[string]any{}
	}
	changed.Metadata[identityMark] = key
	applied := *changed
	if err := b.keys.Apply(&applied); err != nil {
		return nil, p, b.fail(x, http.StatusForbidden, tokenNoPolicy, err)
	}
	p.settle = func(keep bool) error {
		if !keep {
			return nil
		}
		err := b.keys.Save(ctx, changed, b.api.Sessions.TTL(&applied, time.Now()))
		if err != nil {
			return grapnel.Unavailable(err)
		}
		applied.StoreID = changed.StoreID
		return nil
	}
	return &applied, p, nil
}

// renewal renews the time of an unchanged session in the store, if it has one.
func (b *bearer) renewal(x *grapnel.Exchange, stored, applied *grapnel.Session) (p proof) {
	ttl := b.api.Sessions.TTL(applied, time.Now())
	if ttl == 0 {
		return p
	}
	p.settle = func(keep bool) error {
		if !keep {
			return nil
		}
		if err := b.keys.Save(x.Request.Context(), stored, ttl); err != nil {
			return grapnel.Unavailable(err)
		}
		return nil
	}
	return p
}

// leadsToPolicies reports whether policies decide what tokens may do.
func (b *bearer) leadsToPolicies() bool {
	c := b.config
	return c.RequirePolicy || c.PolicyClaim != "" || len(c.DefaultPolicies) > 0 || len(c.Scope.Policies) > 0
}
