package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/grapnel-gateway/grapnel"
)

// What happens to a session on its way into the store and out of it.

// errNoRights is what admissible says of a key that could call everything.
var errNoRights = errors.New("no access rights")

// errKeyRefused is the reply to a session that is not admissible, on the paths
// where the original does not say why; the log does.
func errKeyRefused(err error) error {
	const message = "Failed to create key, ensure security settings are correct."
	return &grapnel.Error{Status: http.StatusInternalServerError, Code: grapnel.CodeBadRequest, Message: message, Err: err}
}

// admissible says why a session must not be stored: its policies do not go, or
// it has no access rights, and so would have all, which the operator has not
// allowed.
func (c keyCalls) admissible(s *grapnel.Session) error {
	applied := s.Clone()
	if err := c.Keys.Apply(applied); err != nil {
		return err
	}
	if len(applied.AccessRights) == 0 && !c.Rules.Unrestricted {
		return errNoRights
	}
	return nil
}

// touch says that the session was changed now, from when its quota counts.
func touch(s *grapnel.Session, now time.Time) {
	s.LastUpdated = stamp(now)
	s.QuotaRenews = now.Unix() + s.QuotaRenewalRate
}

func stamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// limitTrial sets the expiry that a policy gives to new keys [S-24].
func (c keyCalls) limitTrial(s *grapnel.Session, now time.Time) {
	ids := s.ApplyPolicies
	if len(ids) == 0 {
		ids = []string{s.ApplyPolicyID}
	}
	for _, id := range ids {
		if p, ok := c.Policy(id); ok && p.KeyExpiresIn > 0 {
			s.Expires = now.Unix() + p.KeyExpiresIn
		}
	}
}

// setSecrets hashes a new password, and makes a signing secret for a key that
// needs one and has none.
func setSecrets(s, old *grapnel.Session) error {
	if basic := &s.BasicAuthData; basic.Password != "" {
		if basic.Password == old.BasicAuthData.Password { // it came from a look-up
			basic.Hash = old.BasicAuthData.Hash
		} else {
			hash, err := bcrypt.GenerateFromPassword([]byte(basic.Password), bcrypt.DefaultCost)
			if err != nil {
				return refuse(http.StatusBadRequest, "A password has at most 72 bytes")
			}
			basic.Password, basic.Hash = string(hash), "bcrypt"
		}
	}
	if s.HMACEnabled && s.HMACSecret == "" {
		s.HMACSecret = old.HMACSecret
		if s.HMACSecret == "" {
			s.HMACSecret = rand.Text()
		}
	}
	return nil
}

// save stores a session that was found before, where it was found.
func (c keyCalls) save(ctx context.Context, s *grapnel.Session, now time.Time) error {
	if s.KeyID == "" {
		return c.Keys.PutSession(ctx, s.StoreID, s, c.ttl(s, now))
	}
	return c.Keys.Save(ctx, s, c.ttl(s, now))
}

// ttl is for how long the session is stored: as long as any of its APIs has it
// stored, 0 for ever [S-25].
func (c keyCalls) ttl(s *grapnel.Session, now time.Time) time.Duration {
	var ttls []time.Duration
	for id := range s.AccessRights {
		if api := c.API(id); api != nil {
			ttls = append(ttls, api.Sessions.TTL(s, now))
		}
	}
	switch {
	case len(ttls) == 0:
		return grapnel.APISessions{}.TTL(s, now)
	case slices.Contains(ttls, 0):
		return 0
	}
	return slices.Max(ttls)
}

// counters lists the keys under which the session is counted.
func counters(s *grapnel.Session) []string {
	keys := []string{s.CounterKey("")}
	for id := range s.AccessRights {
		if key := s.CounterKey(id); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// startAnew begins all counting for a session that was set anew, unless all of
// its APIs want the counters left alone.
func (c keyCalls) startAnew(ctx context.Context, s *grapnel.Session) error {
	keep := len(s.AccessRights) > 0
	for id := range s.AccessRights {
		api := c.API(id)
		keep = keep && api != nil && api.Limits.KeepCounters
	}
	if keep {
		return nil
	}
	return c.forget(ctx, s)
}

// forget sets what was counted of a session back to nothing.
func (c keyCalls) forget(ctx context.Context, s *grapnel.Session) error {
	for _, key := range counters(s) {
		if err := c.Counters.Forget(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// countdown sets what is left of the session's quotas: the counters know
// better than the stored numbers [S-37].
func (c keyCalls) countdown(ctx context.Context, s *grapnel.Session) error {
	if s.QuotaMax > 0 {
		u, err := c.Counters.Usage(ctx, s.CounterKey(""))
		if err != nil {
			return err
		}
		left(u, s.QuotaMax, &s.QuotaRemaining, &s.QuotaRenews)
	}
	for id, right := range s.AccessRights {
		if right.Limit.QuotaMax <= 0 {
			continue
		}
		u, err := c.Counters.Usage(ctx, s.CounterKey(id))
		if err != nil {
			return err
		}
		left(u, right.Limit.QuotaMax, &right.Limit.QuotaRemaining, &right.Limit.QuotaRenews)
		s.AccessRights[id] = right
	}
	return nil
}

func left(u grapnel.Usage, limit int64, remaining, renews *int64) {
	*remaining = max(limit-u.Used, 0)
	if !u.Renews.IsZero() {
		*renews = u.Renews.Unix()
	}
}

// tell fires an event about a key [E-4]. Where keys are hashed it names the
// hash: events are logged.
func (c keyCalls) tell(t grapnel.EventType, s *grapnel.Session) {
	key := s.KeyID
	if c.Rules.Hash {
		key = s.StoreID
	}
	c.Event(t, s.OrgID, key)
}
