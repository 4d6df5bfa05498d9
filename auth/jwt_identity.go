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

// identify returns the session of the identity that a verified token names. It
// is stored, so that its limits outlive the token, and has the token's policies
// whenever they change. Where no policies are configured, a token gives the
// right to the API and nothing is stored.
func (b *bearer) identify(x *grapnel.Exchange, c claims) (*grapnel.Session, error) {
	who := b.identity(c)
	if who == "" {
		return nil, b.fail(x, http.StatusForbidden, tokenRefused, errTokenWho)
	}
	sum := md5.Sum([]byte(who)) // a name, not a secret: the original's id for it
	key := b.keys.Token(b.api.OrgID, hex.EncodeToString(sum[:]))
	if !b.leadsToPolicies() {
		return passing(b.api, key, who), nil
	}
	policies, ok := b.policies(c)
	if !ok {
		return nil, b.fail(x, http.StatusForbidden, tokenNoPolicy, nil)
	}
	ctx := x.Request.Context()
	stored, err := b.keys.Stored(ctx, key)
	switch {
	case errors.Is(err, grapnel.ErrNotFound):
		stored = &grapnel.Session{KeyID: key, OrgID: b.api.OrgID, Alias: who}
	case err != nil:
		return nil, unavailable(err)
	case slices.Equal(stored.ApplyPolicies, policies):
		if s, err := b.keys.Load(ctx, key); err == nil {
			return s, nil
		}
	}
	s := stored.Clone()
	s.ApplyPolicies, s.ApplyPolicyID = policies, ""
	if s.Metadata == nil {
		s.Metadata = map[string]any{}
	}
	s.Metadata[identityMark] = key
	applied := *s
	if err := b.keys.Apply(&applied); err != nil {
		return nil, b.fail(x, http.StatusForbidden, tokenNoPolicy, err)
	}
	if err := b.keys.Save(ctx, s, b.api.Sessions.TTL(&applied, time.Now())); err != nil {
		return nil, unavailable(err)
	}
	applied.StoreID = s.StoreID
	return &applied, nil
}

// leadsToPolicies reports whether policies decide what tokens may do.
func (b *bearer) leadsToPolicies() bool {
	c := b.config
	return c.RequirePolicy || c.PolicyClaim != "" || len(c.DefaultPolicies) > 0 || len(c.Scope.Policies) > 0
}
