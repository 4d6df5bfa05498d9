package keys

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

type (
	session = grapnel.Session
	policy  = grapnel.Policy
	limit   = grapnel.APILimit
	rightOf = map[string]grapnel.AccessDefinition
)

func versions(v ...string) grapnel.AccessDefinition { return grapnel.AccessDefinition{Versions: v} }

// somePolicies are the set that the tests apply.
func somePolicies() *Policies {
	a, b := rightOf{"a": versions("v1")}, rightOf{"b": versions("v1")}
	only := func(url, method string) rightOf {
		return rightOf{"a": {AllowedURLs: []grapnel.AccessSpec{{URL: url, Methods: []string{method}}}}}
	}
	return NewPolicies(
		&policy{ID: "slow-a", Rate: 1, Per: 1, QuotaMax: 10, QuotaRenewalRate: 60, AccessRights: a},
		&policy{ID: "fast-b", Rate: 100, Per: 10, QuotaMax: 5, QuotaRenewalRate: 30, MaxQueryDepth: 3, AccessRights: b},
		&policy{ID: "free-a", Rate: -1, Per: 1, QuotaMax: -1, MaxQueryDepth: -1, AccessRights: rightOf{"a": versions("v2")}},
		&policy{ID: "quota", QuotaMax: 7, QuotaRenewalRate: 70, Rate: 99, Partitions: grapnel.Partitions{Quota: true}},
		&policy{ID: "rate", Rate: 8, Per: 2, ThrottleInterval: 3, ThrottleRetryLimit: 4, QuotaMax: 99, Partitions: grapnel.Partitions{RateLimit: true}},
		&policy{ID: "depth", MaxQueryDepth: 6, Partitions: grapnel.Partitions{Complexity: true}},
		&policy{ID: "acl", Rate: 99, AccessRights: a, Partitions: grapnel.Partitions{ACL: true}},
		&policy{ID: "acl-b", AccessRights: b, Partitions: grapnel.Partitions{ACL: true}},
		&policy{ID: "per-api", Rate: 9, Per: 1, Partitions: grapnel.Partitions{PerAPI: true},
			AccessRights: rightOf{"a": {Limit: limit{Rate: 2, Per: 1, QuotaMax: 20}}, "b": {}}},
		&policy{ID: "per-api-2", Rate: 3, Per: 1, Partitions: grapnel.Partitions{PerAPI: true}, AccessRights: rightOf{"a": {Limit: limit{Rate: 5, Per: 1}}}},
		&policy{ID: "contradiction", AccessRights: a, Partitions: grapnel.Partitions{PerAPI: true, ACL: true}},
		&policy{ID: "nothing"},
		&policy{ID: "foreign", OrgID: "other", AccessRights: a},
		&policy{ID: "urls-1", AccessRights: only("/x", "GET")},
		&policy{ID: "urls-2", AccessRights: only("/x", "POST")},
		&policy{ID: "urls-3", AccessRights: only("/y", "GET")},
		&policy{ID: "words", AccessRights: a, Tags: []string{"t", "p"}, Metadata: map[string]any{"k": "policy"}, IsInactive: true,
			HMACEnabled: true, SignatureValidation: true, LastUpdated: "200"},
	)
}

// TestApply: what policies make of a session [S-20, S-21].
func TestApply(t *testing.T) {
	base := session{Rate: 50, Per: 5, QuotaMax: 500, QuotaRenewalRate: 5000, MaxQueryDepth: 9, AccessRights: rightOf{"own": versions("v1")}}
	a, b := versions("v1"), versions("v1")
	limited := func(l limit, scope string, r grapnel.AccessDefinition) grapnel.AccessDefinition {
		r.Limit, r.Scope = l, scope
		return r
	}
	for _, c := range []struct {
		name string
		ids  []string
		want session
	}{
		{"none", nil, base},
		{"one replaces all", []string{"slow-a"}, session{Rate: 1, Per: 1, QuotaMax: 10, QuotaRenewalRate: 60, AccessRights: rightOf{"a": a}}},
		{"unknown among several", []string{"slow-a", "gone"}, session{Rate: 1, Per: 1, QuotaMax: 10, QuotaRenewalRate: 60, AccessRights: rightOf{"a": a}}},
		{"the most generous of two, each API by its own", []string{"slow-a", "fast-b"}, session{Rate: 100, Per: 10, QuotaMax: 10, QuotaRenewalRate: 60, MaxQueryDepth: 3, AccessRights: rightOf{
			"a": limited(limit{Rate: 1, Per: 1, QuotaMax: 10, QuotaRenewalRate: 60, MaxQueryDepth: 3}, "slow-a", a),
			"b": limited(limit{Rate: 100, Per: 10, QuotaMax: 5, QuotaRenewalRate: 30, MaxQueryDepth: 3}, "fast-b", b),
		}}},
		{"no limit beats all", []string{"slow-a", "free-a"}, session{Rate: -1, Per: 1, QuotaMax: -1, MaxQueryDepth: -1, AccessRights: rightOf{
			"a": limited(limit{Rate: -1, Per: 1, QuotaMax: -1, MaxQueryDepth: -1}, "free-a", versions("v1", "v2")),
		}}},
		{"quota", []string{"quota"}, session{Rate: 50, Per: 5, QuotaMax: 7, QuotaRenewalRate: 70, MaxQueryDepth: 9, AccessRights: base.AccessRights}},
		{"rate", []string{"rate"}, session{Rate: 8, Per: 2, ThrottleInterval: 3, ThrottleRetryLimit: 4, QuotaMax: 500, QuotaRenewalRate: 5000, MaxQueryDepth: 9, AccessRights: base.AccessRights}},
		{"depth", []string{"depth"}, session{Rate: 50, Per: 5, QuotaMax: 500, QuotaRenewalRate: 5000, MaxQueryDepth: 6, AccessRights: base.AccessRights}},
		{"acl", []string{"acl"}, session{Rate: 50, Per: 5, QuotaMax: 500, QuotaRenewalRate: 5000, MaxQueryDepth: 9, AccessRights: rightOf{"a": a}}},
		{"two acls keep the session's limits", []string{"acl", "acl-b"}, session{Rate: 50, Per: 5, QuotaMax: 500, QuotaRenewalRate: 5000, MaxQueryDepth: 9, AccessRights: rightOf{"a": a, "b": b}}},
		{"parts together", []string{"quota", "rate", "acl"}, session{Rate: 8, Per: 2, ThrottleInterval: 3, ThrottleRetryLimit: 4, QuotaMax: 7, QuotaRenewalRate: 70, MaxQueryDepth: 9, AccessRights: rightOf{"a": a}}},
		{"per API", []string{"per-api"}, session{AccessRights: rightOf{
			"a": limited(limit{Rate: 2, Per: 1, QuotaMax: 20}, "a", versions()),
			"b": limited(limit{Rate: 9, Per: 1}, "per-api", versions()),
		}}},
		{"two per API", []string{"per-api", "per-api-2"}, session{AccessRights: rightOf{
			"a": limited(limit{Rate: 5, Per: 1, QuotaMax: 20}, "a", versions()),
			"b": limited(limit{Rate: 9, Per: 1}, "per-api", versions()),
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, before := base, *base.Clone()
			got.ApplyPolicies = c.ids
			if err := somePolicies().Apply(&got); err != nil {
				t.Fatal(err)
			}
			got.ApplyPolicies, got.Metadata = nil, nil
			if !same(&got, &c.want) {
				t.Error(cmp.Diff(c.want, got))
			}
			if diff := cmp.Diff(before, base); diff != "" {
				t.Error("what the session shares has changed:\n" + diff)
			}
		})
	}
}

// TestApplyTwice: applied once more, policies change nothing [C-11].
func TestApplyTwice(t *testing.T) {
	p := somePolicies()
	s := &session{ApplyPolicies: []string{"slow-a", "fast-b", "words"}, Tags: []string{"s"}}
	if err := p.Apply(s); err != nil {
		t.Fatal(err)
	}
	once := s.Clone()
	if err := p.Apply(s); err != nil || !same(once, s) {
		t.Error(err, cmp.Diff(once, s))
	}
}

// TestApplyURLs: URLs are united, and the methods of each [S-20].
func TestApplyURLs(t *testing.T) {
	s := &session{ApplyPolicies: []string{"urls-1", "urls-2", "urls-3", "slow-a"}}
	p := somePolicies()
	if err := p.Apply(s); err != nil {
		t.Fatal(err)
	}
	want := []grapnel.AccessSpec{{URL: "/x", Methods: []string{"GET", "POST"}}, {URL: "/y", Methods: []string{"GET"}}}
	if diff := cmp.Diff(want, s.AccessRights["a"].AllowedURLs); diff != "" {
		t.Error(diff)
	}
	if one, _ := p.Policy("urls-1"); len(one.AccessRights["a"].AllowedURLs[0].Methods) != 1 {
		t.Error("the policy itself has changed")
	}
}

// TestApplyEndpoints: of two limits on one endpoint the more generous holds.
func TestApplyEndpoints(t *testing.T) {
	with := func(id string, rate float64, path string) *policy {
		return &policy{ID: id, AccessRights: rightOf{"a": {Endpoints: []grapnel.EndpointLimit{{
			Path: path, Methods: []grapnel.MethodLimit{{Name: "GET", Limit: grapnel.RateLimit{Rate: rate, Per: 1}}},
		}}}}}
	}
	s := &session{ApplyPolicies: []string{"1", "2", "3"}}
	if err := NewPolicies(with("1", 1, "/x"), with("2", 5, "/x"), with("3", 3, "/y")).Apply(s); err != nil {
		t.Fatal(err)
	}
	got := s.AccessRights["a"].Endpoints
	if len(got) != 2 || got[0].Methods[0].Limit.Rate != 5 || got[1].Methods[0].Limit.Rate != 3 {
		t.Errorf("%+v", got)
	}
}

// TestApplyWords: tags, metadata and flags [S-22, S-24].
func TestApplyWords(t *testing.T) {
	s := &session{ApplyPolicyID: "words", Tags: []string{"s", "t"}, Metadata: map[string]any{"k": "session", "own": 1}, LastUpdated: "100"}
	if err := somePolicies().Apply(s); err != nil {
		t.Fatal(err)
	}
	want := &session{
		ApplyPolicyID: "words", Tags: []string{"s", "t", "p"}, Metadata: map[string]any{"k": "policy", "own": 1}, LastUpdated: "200",
		IsInactive: true, HMACEnabled: true, SignatureValidation: true, AccessRights: rightOf{"a": versions("v1")},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	later := &session{ApplyPolicies: []string{"slow-a"}, IsInactive: true, LastUpdated: "300"}
	if err := somePolicies().Apply(later); err != nil || later.IsInactive || later.LastUpdated != "300" {
		t.Errorf("%v, %+v: the flag is the policies' [C-13]", err, later)
	}
}

// TestApplyInline: policies in the metadata take the place of the ids [S-24].
func TestApplyInline(t *testing.T) {
	s := &session{ApplyPolicies: []string{"slow-a"}, Metadata: map[string]any{"policies": []any{
		map[string]any{"id": "x", "rate": 42.0, "per": 1.0, "access_rights": map[string]any{"z": map[string]any{}}},
	}}}
	if err := somePolicies().Apply(s); err != nil || s.Rate != 42 || len(s.AccessRights) != 1 {
		t.Errorf("%v: %+v", err, s)
	}
	text := &session{Metadata: map[string]any{"policies": "slow-a"}} // as a plugin's would be
	if err := somePolicies().Apply(text); err != nil || text.Rate != 0 {
		t.Errorf("%v: %+v", err, text)
	}
}

// TestApplyRefusals: policies that do not go [S-20, S-21].
func TestApplyRefusals(t *testing.T) {
	for _, c := range []struct {
		ids  []string
		want string
	}{
		{[]string{"gone"}, `policy not found: "gone"`},
		{[]string{"gone", "lost"}, "key has no valid policies to be applied"},
		{[]string{"foreign"}, "attempting to apply policy from different organisation to key, skipping"},
		{[]string{"slow-a", "foreign"}, "attempting to apply policy from different organisation to key, skipping"},
		{[]string{"contradiction"}, "cannot apply policy contradiction which has per_api and any of partitions set"},
		{[]string{"per-api", "quota"}, "cannot apply multiple policies when some have per_api set and some are partitioned"},
		{[]string{"quota", "per-api"}, "cannot apply multiple policies when some have per_api set and some are partitioned"},
		{[]string{"nothing"}, "key has no valid policies to be applied"},
		{[]string{"quota"}, "key has no valid policies to be applied"},
	} {
		s := &session{ApplyPolicies: c.ids}
		if err := somePolicies().Apply(s); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.ids, err, c.want)
		}
	}
}
