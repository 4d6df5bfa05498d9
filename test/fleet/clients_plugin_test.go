package fleet

import (
	"encoding/pem"
	"slices"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// TestPluginsSeeCertificates: a hook that asks for it is told the certificate of
// the client, session.certificate is filled for who is let in by it, and a plugin
// says it in sessions of its own. A plugin that was written for the original is
// told nothing of it [L-1, B-25].
func TestPluginsSeeCertificates(t *testing.T) {
	own, ca := newIdentity(t, "gateway"), newAuthority(t, "friends")
	friend := ca.issue(t, 2, "friend", "friend.example")
	id := org + identity{Certificate: *friend}.fingerprint()

	s := siteOfCertificates(t, own, ca)
	var mu sync.Mutex
	var seen *coprocess.Object
	s.plugin.on("Look", func(o *coprocess.Object) {
		mu.Lock()
		defer mu.Unlock()
		seen = proto.CloneOf(o)
	})
	s.plugin.on("Auth", func(o *coprocess.Object) {
		o.Session, o.Metadata = unlimited(), map[string]string{"token": "who"}
		o.Session.Certificate = "told-by-plugin"
	})
	g := s.start(t)
	g.createKey(t, object{"access_rights": rights("bound"), "certificate": id, "quota_max": -1})
	client := clientOf(t, own, friend, false)
	look := func(path string) *coprocess.Object {
		t.Helper()
		if got, _ := status(client, "https://"+g.Addr+path); got != 200 {
			t.Fatalf("%s: status %d", path, got)
		}
		mu.Lock()
		defer mu.Unlock()
		return seen
	}

	o := look("/listed/")
	c := o.GetFacts().GetCertificate()
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: friend.Certificate[0]}))
	if c.GetPem() != text || org+c.GetFingerprint() != id || c.GetSubject() != "CN=friend" || c.GetIssuer() != "CN=friends" ||
		c.GetSerial() != "2" || !slices.Equal(c.GetDnsNames(), []string{"friend.example"}) || c.GetNotAfter() != friend.Leaf.NotAfter.Unix() {
		t.Errorf("the plugin saw %v", c)
	}
	if got := o.GetSession().GetCertificate(); got != id {
		t.Errorf("session.certificate %q, want %q", got, id)
	}
	if got := look("/custom/").GetSession().GetCertificate(); got != "told-by-plugin" {
		t.Errorf("session.certificate %q, where the plugin said another", got)
	}
	var stored struct{ Certificate string }
	decode(t, g.command(t, "GET", keyPath("who"), nil), &stored)
	if stored.Certificate != "told-by-plugin" {
		t.Errorf("stored with the certificate %q", stored.Certificate)
	}
	look("/bound/") // by the certificate alone
	if got, _ := status(clientOf(t, own, ca.issue(t, 3, "friend"), false), "https://"+g.Addr+"/bound/"); got != 403 {
		t.Errorf("status %d with a certificate without a key", got)
	}
	if o := look("/old/"); o.GetSession() == nil || o.GetSession().GetCertificate() != "" || o.GetFacts() != nil {
		t.Errorf("a plugin for the original saw %v", o)
	}
}

// siteOfCertificates has APIs that know clients by their certificates, or see them.
func siteOfCertificates(t *testing.T, own identity, ca *authority) *site {
	t.Helper()
	post := func(plugin string) object {
		return object{"post": []object{{"plugin": plugin, "hook": "Look", "facts": []string{"certificate"}}}}
	}
	listed := api("listed", object{"certificate": object{"ca": ca.file}})
	listed["hooks"] = post("p")
	custom := api("custom", pluginAuth("Auth", nil))
	custom["hooks"] = post("p")
	old := api("old", object{"certificate": object{"ca": ca.file}})
	old["hooks"] = object{"post": []object{{"plugin": "old", "hook": "Look"}}}
	s := newSite(t, "memory:", listed, custom, old, api("bound", object{"token": object{"certificate": true}}))
	s.config["plugins"].(object)["old"] = object{"target": s.plugin.target, "timeout": patience.String(), "compat": "tyk"}
	s.secure(own, object{"client_certificates": "request"})
	return s
}
