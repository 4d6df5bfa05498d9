package grapnel_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grapnel-gateway/grapnel"
)

func fullSession() *grapnel.Session {
	return &grapnel.Session{
		KeyID: "k", StoreID: "id", Rate: 5, Tags: []string{"a"}, ApplyPolicies: []string{"p"},
		Extra:     map[string]json.RawMessage{"smoothing": json.RawMessage("{}")},
		OAuthKeys: map[string]string{"a": "b"},
		Metadata:  map[string]any{"list": []any{"a", map[string]any{"b": "c"}}},
		Monitor:   grapnel.Monitor{TriggerLimits: []float64{1}},
		AccessRights: map[string]grapnel.AccessDefinition{"api": {
			Versions: []string{"v1"}, AllowedURLs: []grapnel.AccessSpec{{URL: "/", Methods: []string{"GET"}}},
			Endpoints: []grapnel.EndpointLimit{{Path: "/", Methods: []grapnel.MethodLimit{{Name: "GET"}}}},
			Extra:     map[string]json.RawMessage{"more": json.RawMessage("1")},
		}},
	}
}

// TestClone: a copy equals what it was made of, and shares nothing that can be
// changed.
func TestClone(t *testing.T) {
	s := fullSession()
	c := s.Clone()
	if diff := cmp.Diff(s, c); diff != "" {
		t.Fatal(diff)
	}
	c.Tags[0], c.ApplyPolicies[0], c.OAuthKeys["a"], c.Monitor.TriggerLimits[0] = "x", "x", "x", 9
	c.Extra["x"] = nil
	list := c.Metadata["list"].([]any)
	list[1].(map[string]any)["b"], list[0] = "x", "x"
	right := c.AccessRights["api"]
	right.Versions[0], right.AllowedURLs[0].Methods[0], right.AllowedURLs[0].URL = "x", "x", "x"
	right.Endpoints[0].Methods[0].Name, right.Endpoints[0].Path = "x", "x"
	right.Extra["x"] = nil
	c.AccessRights["other"] = right
	if diff := cmp.Diff(fullSession(), s); diff != "" {
		t.Error("the original changed with its copy:\n" + diff)
	}
	if c := new(grapnel.Session).Clone(); cmp.Diff(new(grapnel.Session), c) != "" {
		t.Errorf("the copy of nothing is %+v", c)
	}
}
