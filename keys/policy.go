package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/grapnel-gateway/grapnel"
)

// Policies are a set of policies by id. It never changes.
type Policies struct{ byID map[string]*grapnel.Policy }

// NewPolicies makes a set; of two policies with one id the later counts. The
// policies must not be changed any more.
func NewPolicies(policies ...*grapnel.Policy) *Policies {
	p := &Policies{byID: make(map[string]*grapnel.Policy, len(policies))}
	for _, policy := range policies {
		p.byID[policy.ID] = policy
	}
	return p
}

// Policy returns the policy with the id.
func (p *Policies) Policy(id string) (*grapnel.Policy, bool) {
	policy, ok := p.byID[id]
	return policy, ok
}

// The ways in which policies do not go [S-20, S-21]. The texts are the
// original's; callers of the control API see them.
var (
	errNone    = errors.New("key has no valid policies to be applied")
	errForeign = errors.New("attempting to apply policy from different organisation to key, skipping")
	errMixed   = errors.New("cannot apply multiple policies when some have per_api set and some are partitioned")
)

// governed reports whether a session has policies.
func governed(s *grapnel.Session) bool {
	return len(s.ApplyPolicies) > 0 || s.ApplyPolicyID != "" || s.Metadata["policies"] != nil
}

// Apply puts the session's policies on it [S-20…S-24]: what a policy governs
// replaces what the session said, the most generous of several, and what no
// policy governs stays. Maps and lists of the session are replaced, not
// written into. On error the session must not be used.
func (p *Policies) Apply(s *grapnel.Session) error {
	policies, named, err := p.of(s)
	if err != nil || !named {
		return err
	}
	if err := fit(policies); err != nil {
		return err
	}
	var all parts
	var total grapnel.APILimit
	s.IsInactive = false
	s.Metadata = maps.Clone(s.Metadata)
	if s.Metadata == nil {
		s.Metadata = map[string]any{}
	}
	s.Tags = slices.Clone(s.Tags)
	for _, policy := range policies {
		governs := partsOf(policy)
		all = all.or(governs)
		if !policy.Partitions.PerAPI {
			total = generous(total, governs.of(policy))
		}
		describe(s, policy)
	}
	all.put(s, total)
	if all.acl {
		s.AccessRights = rights(s, policies)
	}
	if len(s.AccessRights) == 0 {
		return errNone
	}
	return nil
}

// of lists the policies that a session names: those that stand in its metadata
// [S-24], or else by id. One id that is unknown is an error, one of several is
// passed over [S-20].
func (p *Policies) of(s *grapnel.Session) (list []*grapnel.Policy, named bool, err error) {
	list, ids := inline(s), s.ApplyPolicies
	if len(ids) == 0 && s.ApplyPolicyID != "" {
		ids = []string{s.ApplyPolicyID}
	}
	if list == nil {
		if len(ids) == 0 {
			return nil, false, nil
		}
		for _, id := range ids {
			policy, ok := p.byID[id]
			if !ok && len(ids) == 1 {
				return nil, true, fmt.Errorf("policy not found: %q", id)
			}
			if ok {
				list = append(list, policy)
			}
		}
	}
	for _, policy := range list {
		if policy.OrgID != s.OrgID {
			return nil, true, errForeign
		}
	}
	if len(list) == 0 {
		return nil, true, errNone
	}
	return list, true, nil
}

// inline reads the policies in a session's metadata; nil when there are none.
func inline(s *grapnel.Session) []*grapnel.Policy {
	list, ok := s.Metadata["policies"].([]any)
	if !ok || len(list) == 0 {
		return nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil
	}
	var policies []*grapnel.Policy
	if json.Unmarshal(text, &policies) != nil || slices.Contains(policies, nil) {
		return nil
	}
	return policies
}

// fit refuses policies that contradict each other [S-21].
func fit(policies []*grapnel.Policy) error {
	perAPI, partitioned := false, false
	for _, policy := range policies {
		parts := policy.Partitions
		split := parts.Quota || parts.RateLimit || parts.Complexity || parts.ACL
		if parts.PerAPI && split {
			return fmt.Errorf("cannot apply policy %s which has per_api and any of partitions set", policy.ID)
		}
		perAPI, partitioned = perAPI || parts.PerAPI, partitioned || split
	}
	if perAPI && partitioned {
		return errMixed
	}
	return nil
}

// describe puts on a session what a policy says beside limits and rights [S-22,
// S-24].
func describe(s *grapnel.Session, p *grapnel.Policy) {
	s.IsInactive = s.IsInactive || p.IsInactive
	s.HMACEnabled = s.HMACEnabled || p.HMACEnabled
	s.SignatureValidation = s.SignatureValidation || p.SignatureValidation
	maps.Copy(s.Metadata, p.Metadata)
	s.Tags = united(s.Tags, p.Tags)
	s.LastUpdated = max(s.LastUpdated, p.LastUpdated)
}

// rights are the union of what the policies let a session call. Where several
// policies give rights, each API has the limits of those that name it, counted
// apart; where one does, the session's limits are the API's.
func rights(s *grapnel.Session, policies []*grapnel.Policy) map[string]grapnel.AccessDefinition {
	giving := 0
	for _, policy := range policies {
		if partsOf(policy).acl && len(policy.AccessRights) > 0 {
			giving++
		}
	}
	out := map[string]grapnel.AccessDefinition{}
	for _, policy := range policies {
		governs := partsOf(policy)
		if !governs.acl {
			continue
		}
		limit := governs.of(policy)
		for id, right := range policy.AccessRights {
			switch own := right.Limit != (grapnel.APILimit{}); {
			case policy.Partitions.PerAPI && own:
				right.Scope = id
			case policy.Partitions.PerAPI:
				right.Limit, right.Scope = limit, policy.ID
			case giving > 1:
				right.Limit, right.Scope = generous(right.Limit, limit), policy.ID
			case own:
				right.Limit, right.Scope = generous(right.Limit, limit), ""
			}
			if before, ok := out[id]; ok {
				right = union(before, right)
			}
			out[id] = right
		}
	}
	for id, right := range out {
		if right.Limit == (grapnel.APILimit{}) {
			right.Scope = ""
		} else {
			right.Limit = completed(right.Limit, s)
			right.Limit.QuotaRenews = s.AccessRights[id].Limit.QuotaRenews // [C-11]
			right.Limit.QuotaRemaining = s.AccessRights[id].Limit.QuotaRemaining
		}
		out[id] = right
	}
	return out
}
