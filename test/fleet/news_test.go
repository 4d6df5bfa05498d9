package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// soon is how quickly a gateway must know what happened on another one. What is
// remembered lives for a minute in these tests.
const soon = time.Second

// TestKeyDeletedElsewhere: a key that is deleted through one gateway is refused by
// the other within a second.
func TestKeyDeletedElsewhere(t *testing.T) {
	s := newSite(t, storetest.Redis(t).URL(), api("keyed", tokenAuth()))
	a, b := s.start(t), s.start(t)
	slowest := time.Duration(0)
	for range 20 {
		key := a.createKey(t, object{"access_rights": rights("keyed")})
		for _, g := range []*gateway{a, b, a, b} { // both have it in memory then
			if r := g.get(t, "/keyed/", key); r.status != http.StatusOK {
				t.Fatalf("the new key: %d %s", r.status, r.body)
			}
		}
		a.command(t, http.MethodDelete, keyPath(key), nil)
		if r := a.get(t, "/keyed/", key); r.status != http.StatusForbidden {
			t.Fatalf("the gateway that deleted the key answers %d", r.status)
		}
		slowest = max(slowest, await(t, "refused", func() bool { return b.get(t, "/keyed/", key).status == http.StatusForbidden }))
	}
	t.Logf("the slowest deletion was known after %v", slowest)
	if slowest >= soon {
		t.Errorf("a deletion was known after %v, want less than %v", slowest, soon)
	}
}

// TestKeyChangedElsewhere: so is a change, be it for the worse or the better.
func TestKeyChangedElsewhere(t *testing.T) {
	s := newSite(t, storetest.Redis(t).URL(), api("keyed", tokenAuth()))
	a, b := s.start(t), s.start(t)
	key := a.createKey(t, object{"access_rights": rights("keyed")})
	b.get(t, "/keyed/", key)
	for _, inactive := range []bool{true, false, true, false} {
		want := http.StatusOK
		if inactive {
			want = http.StatusForbidden
		}
		a.command(t, http.MethodPut, keyPath(key), object{"org_id": org, "is_inactive": inactive, "access_rights": rights("keyed")})
		if took := await(t, "changed", func() bool { return b.get(t, "/keyed/", key).status == want }); took >= soon {
			t.Errorf("the change was known after %v, want less than %v", took, soon)
		}
	}
}

// TestUnknownKeyCreatedElsewhere: that a key was unknown is not remembered for
// longer, either.
func TestUnknownKeyCreatedElsewhere(t *testing.T) {
	s := newSite(t, storetest.Redis(t).URL(), api("keyed", tokenAuth()))
	a, b := s.start(t), s.start(t)
	if r := b.get(t, "/keyed/", "made-later"); r.status != http.StatusForbidden {
		t.Fatalf("the unknown key: %d %s", r.status, r.body)
	}
	a.command(t, http.MethodPost, "/keys/made-later", object{"org_id": org, "access_rights": rights("keyed")})
	if took := await(t, "let in", func() bool { return b.get(t, "/keyed/", "made-later").status == http.StatusOK }); took >= soon {
		t.Errorf("the new key was known after %v, want less than %v", took, soon)
	}
}

// TestAPIPublishedElsewhere: an API that the control API of one gateway got is
// served by the other after a reload of the group, and gone again
// likewise.
func TestAPIPublishedElsewhere(t *testing.T) {
	s := newSite(t, storetest.Redis(t).URL(), api("keyed", tokenAuth()))
	a, b := s.start(t), s.start(t)
	a.command(t, http.MethodPost, "/apis", open(s, "later"))
	for _, g := range []*gateway{a, b} {
		if r := g.get(t, "/later/", ""); r.status != http.StatusNotFound {
			t.Errorf("before the reload: %d, want 404", r.status)
		}
	}
	a.command(t, http.MethodGet, "/reload/group", nil)
	for _, g := range []*gateway{a, b} {
		await(t, "served", func() bool { return g.get(t, "/later/", "").status == http.StatusOK })
	}
	c := s.start(t) // which was not there
	if r := c.get(t, "/later/", ""); r.status != http.StatusOK {
		t.Errorf("a gateway that starts afterwards: %d, want 200", r.status)
	}
	b.command(t, http.MethodDelete, "/apis/later", nil)
	b.command(t, http.MethodGet, "/reload/group", nil)
	for _, g := range []*gateway{a, b, c} {
		await(t, "gone", func() bool { return g.get(t, "/later/", "").status == http.StatusNotFound })
	}
}

// open is the definition of an API that is open to everyone.
func open(s *site, id string) object {
	d := definition(id, object{"use_keyless": true})
	d["proxy"].(object)["target_url"] = s.upstream.URL
	return d
}

// publish has the gateway serve one more API, which its files do not have.
func publish(t *testing.T, s *site, g *gateway, id string) {
	t.Helper()
	g.command(t, http.MethodPost, "/apis", open(s, id))
	g.command(t, http.MethodGet, "/reload", nil)
	if r := g.get(t, "/"+id+"/", ""); r.status != http.StatusOK {
		t.Fatalf("the published API: %d %s", r.status, r.body)
	}
}

// TestPolicyPublishedElsewhere: and so is a policy, for keys that are there
// already [S-23].
func TestPolicyPublishedElsewhere(t *testing.T) {
	s := newSite(t, storetest.Redis(t).URL(), api("keyed", tokenAuth()))
	a, b := s.start(t), s.start(t)
	policy := object{"id": "gold", "org_id": org, "active": true, "access_rights": rights("keyed"), "quota_max": -1}
	a.command(t, http.MethodPost, "/policies", policy)
	a.command(t, http.MethodGet, "/reload/group", nil)
	a.AwaitLog(t, `"reloaded"`)
	b.AwaitLog(t, `"reloaded"`)
	key := b.createKey(t, object{"apply_policies": []string{"gold"}})
	if r := a.get(t, "/keyed/", key); r.status != http.StatusOK {
		t.Fatalf("a key of the policy: %d %s", r.status, r.body)
	}
	policy["is_inactive"] = true
	b.command(t, http.MethodPut, "/policies/gold", policy)
	b.command(t, http.MethodGet, "/reload/group", nil)
	for _, g := range []*gateway{a, b} {
		await(t, "inactive", func() bool { return g.get(t, "/keyed/", key).refusal() == "Key is inactive, please renew" })
	}
}

// TestGroupReload: the original's notification has a gateway reload, when it is
// signed with the node secret; others are ignored [T-231, Z-20].
func TestGroupReload(t *testing.T) {
	const nodeSecret = "node-secret"
	redis := storetest.Redis(t)
	s := newTykSite(t, redis, object{"node_secret": nodeSecret, "allow_insecure_configs": false})
	g := s.start(t)
	publish := func(command, secret string) {
		t.Helper()
		sum := sha256.Sum256([]byte(command + secret))
		message, err := json.Marshal(object{"command": command, "payload": "", "signature": hex.EncodeToString(sum[:]), "algorithm": 5})
		if err != nil {
			t.Fatal(err)
		}
		redis.Do("PUBLISH", "tyk.cluster.notifications", string(message))
	}
	reloads := func() int { return strings.Count(g.Log(), `"reloaded"`) }

	publish("GroupReload", "not-the-node-secret")
	g.AwaitLog(t, `"WARN"`, "notification was ignored", "GroupReload")
	if n := reloads(); n != 0 {
		t.Errorf("a notification with a wrong signature made %d reloads", n)
	}
	for i, command := range []string{"GroupReload", "ApiUpdated"} {
		publish(command, nodeSecret)
		await(t, "reloaded", func() bool { return reloads() == i+1 })
	}
}
