package admin

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// orgCalls are the calls for sessions of organisations, which bound the calls of
// all APIs of one together, where those say so.
type orgCalls struct{ Options }

const unknownOrg = "Org not found"

// list lists the organisations that have a session.
func (c orgCalls) list(r *http.Request) (any, error) {
	all, err := c.Records.Records(r.Context(), grapnel.OrgRecords+r.URL.Query().Get("filter"))
	ids := []string{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		ids = append(ids, strings.TrimPrefix(key, grapnel.OrgRecords))
	}
	return keyList{ids}, err
}

// get returns an organisation's session, with what is left of its quota now.
func (c orgCalls) get(r *http.Request) (any, error) {
	_, s, err := c.stored(r)
	if err != nil {
		return nil, missing(err, unknownOrg)
	}
	if s.QuotaMax > 0 {
		u, err := c.Counters.Usage(r.Context(), recordOf(r))
		if err != nil {
			return nil, err
		}
		left(u, s.QuotaMax, &s.QuotaRemaining, &s.QuotaRenews)
	}
	return s, nil
}

// put stores a session for an organisation. Counting goes on, unless reset_quota
// is 1.
func (c orgCalls) put(action string) answer {
	return func(r *http.Request) (any, error) {
		org, s := r.PathValue("org"), new(grapnel.Session)
		if !slices.ContainsFunc(c.APIs(), func(a *grapnel.API) bool { return a.OrgID == org }) {
			return nil, refuse(http.StatusNotFound, "No such organisation found in Active API list")
		}
		if err := decode(r, s, errMalformed()); err != nil {
			return nil, err
		}
		text, old, err := c.stored(r)
		now := time.Now()
		switch {
		case errors.Is(err, grapnel.ErrNotFound):
			old = &grapnel.Session{DateCreated: now.Format(time.RFC3339Nano)}
		case err != nil:
			return nil, err
		}
		s.OrgID, s.DateCreated, s.LastUpdated = org, old.DateCreated, stamp(now)
		if err := setSecrets(s, old); err != nil {
			return nil, err
		}
		if r.URL.Query().Get("reset_quota") == "1" {
			touch(s, now)
			if err := c.Counters.Forget(r.Context(), recordOf(r)); err != nil {
				return nil, err
			}
		}
		changedText, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		return changed(org, action), c.Records.SwapRecord(r.Context(), recordOf(r), text, changedText, 0)
	}
}

// remove removes an organisation's session, and what was counted of it.
func (c orgCalls) remove(r *http.Request) (any, error) {
	text, _, err := c.stored(r)
	if err != nil {
		return nil, missing(err, unknownOrg)
	}
	if err := c.Records.SwapRecord(r.Context(), recordOf(r), text, nil, 0); err != nil {
		return nil, err
	}
	return changed(r.PathValue("org"), "deleted"), c.Counters.Forget(r.Context(), recordOf(r))
}

// stored finds the session of the organisation in the path, and how it is written.
func (c orgCalls) stored(r *http.Request) (text []byte, s *grapnel.Session, err error) {
	if text, err = c.Records.Record(r.Context(), recordOf(r)); err != nil {
		return nil, nil, err
	}
	s = new(grapnel.Session)
	return text, s, json.Unmarshal(text, s)
}

// recordOf is the record of the organisation in the path, and the counter.
func recordOf(r *http.Request) string { return grapnel.OrgRecords + r.PathValue("org") }
