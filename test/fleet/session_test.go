package fleet

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// wholeSession is what an auth hook may say of a caller: what the original's
// message has room for, and what it has not.
func wholeSession(api string) *coprocess.SessionState {
	return &coprocess.SessionState{
		Rate: 1000, Per: 1, QuotaMax: 500, QuotaRemaining: 500, QuotaRenewalRate: 3600, Expires: 4102444800, MaxQueryDepth: 7,
		Alias: "ann", Tags: []string{"a", "b"}, HmacEnabled: true, HmacSecret: "hmac", OauthClientId: "shop", OauthKeys: map[string]string{"shop": "key"},
		Certificate: "told", BasicAuthData: &coprocess.BasicAuthData{}, JwtData: &coprocess.JWTData{Secret: "jwt"},
		Monitor: &coprocess.Monitor{TriggerLimits: []float64{80, 60}}, Metadata: map[string]string{"plan": "gold"},
		ThrottleInterval: 1.5, ThrottleRetryLimit: 2, DateCreated: "2026-01-02T03:04:05Z", EnableHttpSignatureValidation: true, RsaCertificateId: "rsa",
		MetadataJson: map[string]string{"seats": "7", "big": "9007199254740993", "list": `["x",null]`, "on": "true"},
		Extra:        map[string]string{"smoothing": `{"enabled":true,"threshold":5}`},
		AccessRights: map[string]*coprocess.AccessDefinition{api: {
			ApiId: api, ApiName: api, Versions: []string{"Default"},
			Limit:     &coprocess.APILimit{Rate: 900, Per: 2, QuotaMax: -1, MaxQueryDepth: 3},
			Endpoints: []*coprocess.EndpointLimit{{Path: "/a", Methods: []*coprocess.MethodLimit{{Name: "GET", Rate: 5, Per: 1}}}},
			Extra:     map[string]string{"restricted_types": `[{"name":"User","fields":["email"]}]`},
		}},
	}
}

// TestSessionWhole: what an auth hook says of a caller reaches all hooks behind it
// as it was said, entries of the metadata with their types, from the plugin and from
// the store; unless the configuration keeps secrets from them [B-24, B-25, L-20, L-30].
func TestSessionWhole(t *testing.T) {
	for _, part := range []string{"full", "redacted", "metadata", "none"} {
		t.Run(part, func(t *testing.T) {
			whole := api("whole", pluginAuth("login", byHeader()))
			hook := func(name string) []object {
				return []object{{"plugin": "p", "hook": name, "send": object{"session": part}}}
			}
			whole["hooks"] = object{"post_key_auth": hook("known"), "post": hook("last"), "response": hook("reply")}
			s := newSite(t, "memory:", whole)
			said := wholeSession("whole")
			said.IdExtractorDeadline = time.Now().Add(time.Hour).Unix() // so that the second request is answered from the store
			s.plugin.on("login", accept(func() *coprocess.SessionState { return proto.CloneOf(said) }))
			known, last, reply := s.plugin.notes("known"), s.plugin.notes("last"), s.plugin.notes("reply")
			g := s.start(t)
			for range 2 {
				if r := g.get(t, "/whole/x", "someone"); r.status != http.StatusOK {
					t.Fatal(r)
				}
				for name, o := range map[string]*coprocess.Object{"PostKeyAuth": known(), "Post": last(), "Response": reply()} {
					checkSeen(t, name, part, said, o)
				}
			}
			if n := s.plugin.called("login"); n != 1 {
				t.Errorf("the plugin was asked %d times who it is", n)
			}
		})
	}
}

// checkSeen compares the session that a hook saw with the one that was said, but for
// what the gateway fills in.
func checkSeen(t *testing.T, hook, part string, said *coprocess.SessionState, o *coprocess.Object) {
	t.Helper()
	want := proto.CloneOf(said)
	want.OrgId, want.Extra["grapnel_extracted_id"] = org, "true"
	want.Metadata = map[string]string{"plan": "gold", "seats": "7", "big": "9007199254740993", "list": `["x",null]`, "on": "true"}
	switch part {
	case "redacted":
		want.HmacSecret, want.JwtData.Secret = "", ""
	case "metadata":
		want = &coprocess.SessionState{
			Metadata: want.Metadata, MetadataJson: want.MetadataJson,
			BasicAuthData: &coprocess.BasicAuthData{}, JwtData: &coprocess.JWTData{}, Monitor: &coprocess.Monitor{},
		}
	case "none":
		want = nil
	}
	got := o.GetSession()
	if part != "full" && got.GetKeyId() != "" {
		t.Errorf("%s is told the key: %v", hook, got)
	}
	delete(o.GetMetadata(), "token")
	delete(got.GetMetadata(), "token")
	gateways := protocmp.IgnoreFields(&coprocess.SessionState{}, "key_id", "last_updated", "quota_renews", "quota_remaining", "last_check", "allowance")
	if diff := cmp.Diff(want, got, protocmp.Transform(), gateways); diff != "" {
		t.Errorf("%s: -said +seen\n%s", hook, diff)
	}
	if diff := cmp.Diff(want.GetMetadata(), o.GetMetadata()); diff != "" {
		t.Errorf("%s: metadata %s", hook, diff)
	}
}

// TestWriteBack: what a hook of any stage behind authentication changes of the
// metadata of a key is seen by the hooks behind it and kept with the key, where its
// configuration says so; and nothing else of what it says about the session [L-21].
func TestWriteBack(t *testing.T) {
	stages := []string{"post_key_auth", "post", "response"}
	var apis []object
	for _, stage := range stages {
		for id, keeps := range map[string]bool{stage: true, "not_" + stage: false} {
			a := api(id, tokenAuth())
			a["hooks"] = object{stage: []object{
				{"plugin": "p", "hook": "Note", "write_back": keeps}, {"plugin": "p", "hook": "Look"},
			}}
			apis = append(apis, a)
		}
	}
	s := newSite(t, "memory:", apis...)
	s.plugin.on("Note", func(o *coprocess.Object) {
		o.Metadata["old"] = "a text"
		delete(o.Metadata, "gone")
		o.Session.MetadataJson["new"] = `{"n":9007199254740993}`
		o.Metadata["token"], o.Session.Rate, o.Session.Alias = "evil", 9, "evil"
	})
	look := s.plugin.notes("Look")
	g := s.start(t)
	for _, stage := range stages {
		for id, metadata := range map[string]string{
			stage: `{"new":{"n":9007199254740993},"old":"a text","seats":7}`, "not_" + stage: `{"gone":"x","old":5,"seats":7}`,
		} {
			key := g.createKey(t, object{"quota_max": -1, "alias": "ann", "meta_data": object{"old": 5, "gone": "x", "seats": 7}, "access_rights": rights(id)})
			if r := g.get(t, "/"+id+"/", key); r.status != http.StatusOK {
				t.Fatal(r)
			}
			_, gone := look().GetMetadata()["gone"]
			if seen := look().GetSession(); gone != (id != stage) || seen.GetAlias() != "ann" || seen.GetRate() != 0 {
				t.Errorf("%s: the next hook sees %v", id, seen)
			}
			var stored struct {
				Alias    string
				Rate     float64
				Metadata json.RawMessage `json:"meta_data"`
			}
			decode(t, g.command(t, http.MethodGet, keyPath(key), nil), &stored)
			if string(stored.Metadata) != metadata || stored.Alias != "ann" || stored.Rate != 0 {
				t.Errorf("%s: stored is %+v, metadata %s", id, stored, stored.Metadata)
			}
		}
	}
}
