package auth

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// TestInheritYields: what a plugin returns in the places that the original's
// message lacks goes before what is stored; what it leaves out stays [L-20,
// B-25]. The gateway keeps the count of quotas [C-11].
func TestInheritYields(t *testing.T) {
	extra := func(pairs ...string) map[string]json.RawMessage {
		m := map[string]json.RawMessage{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = json.RawMessage(pairs[i+1])
		}
		return m
	}
	stored := &grapnel.Session{
		ThrottleInterval: 1, ThrottleRetryLimit: 1, DateCreated: "then", RSACertificateID: "old", Extra: extra("smoothing", "1", "kept", "2"),
		AccessRights: map[string]grapnel.AccessDefinition{
			"a": {Limit: grapnel.APILimit{Rate: 1, QuotaMax: 5, QuotaRenews: 111, QuotaRemaining: 3}, Scope: "old", Endpoints: []grapnel.EndpointLimit{{Path: "/old"}}, Extra: extra("allowed_types", "1")},
			"b": {Limit: grapnel.APILimit{Rate: 1}, Scope: "old"},
		},
	}
	s := &grapnel.Session{
		ThrottleInterval: 2, ThrottleRetryLimit: 3, DateCreated: "now", RSACertificateID: "new", SignatureValidation: true, Extra: extra("smoothing", "9"),
		AccessRights: map[string]grapnel.AccessDefinition{
			"a": {Limit: grapnel.APILimit{Rate: 7, QuotaMax: 8, QuotaRemaining: 8}, Endpoints: []grapnel.EndpointLimit{{Path: "/new"}}, Extra: extra("disable_introspection", "true")},
			"b": {Scope: "alone"},
		},
	}
	want := &grapnel.Session{
		ThrottleInterval: 2, ThrottleRetryLimit: 3, DateCreated: "now", RSACertificateID: "new", SignatureValidation: true, Extra: extra("smoothing", "9", "kept", "2"),
		AccessRights: map[string]grapnel.AccessDefinition{
			"a": {
				Limit:     grapnel.APILimit{Rate: 7, QuotaMax: 8, QuotaRenews: 111, QuotaRemaining: 3},
				Endpoints: []grapnel.EndpointLimit{{Path: "/new"}}, Extra: extra("allowed_types", "1", "disable_introspection", "true"),
			},
			"b": {Limit: grapnel.APILimit{Rate: 1}, Scope: "old"},
		},
	}
	inherit(s, stored)
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	if len(stored.Extra) != 2 || len(stored.AccessRights["a"].Extra) != 1 {
		t.Error("the stored session was written to")
	}
}
