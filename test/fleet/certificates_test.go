package fleet

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// TestStoredCertificates: in a Tyk set-up over TLS, a definition that lists the id
// of a certificate lets in who shows it, and nobody else. What is let in cannot be
// removed unnoticed, and other gateways have what one has stored.
func TestStoredCertificates(t *testing.T) {
	server, friend, stranger := newIdentity(t, "gateway"), newIdentity(t, "friend"), newIdentity(t, "stranger")
	mutual := func(ids ...string) object {
		return definition("mutual", object{"use_keyless": true, "use_mutual_tls_auth": true, "client_certificates": ids})
	}
	site := newTykSite(t, storetest.Redis(t), object{"http_server_options": object{
		"use_ssl": true, "certificates": []object{{"domain_name": "*", "cert_file": server.certFile, "key_file": server.keyFile}},
	}}, mutual(org+server.fingerprint()))
	start := func() *gateway {
		g := site.start(t)
		g.control, g.client = "https://"+g.Addr+"/tyk", clientOf(t, server, nil, true)
		return g
	}
	one, two := start(), start()
	statuses := func(wantFriend int) {
		t.Helper()
		for name, c := range map[string]struct {
			as   *identity
			want int
		}{"friend": {&friend, wantFriend}, "stranger": {&stranger, 403}} {
			r := getTLS(t, "https://"+one.Addr+"/mutual/", server, c.as)
			if r.status != c.want || r.status == 403 && r.refusal() != "Certificate with SHA256 "+c.as.fingerprint()+" not allowed" {
				t.Errorf("%s: %d %q, want %d", name, r.status, r.refusal(), c.want)
			}
		}
	}
	list := func(ids ...string) {
		t.Helper()
		d := mutual(ids...)
		d["proxy"].(object)["target_url"] = site.upstream.URL
		one.command(t, http.MethodPut, "/apis/mutual", d)
		one.command(t, http.MethodGet, "/reload/", nil)
	}

	pem, err := os.ReadFile(friend.certFile)
	if err != nil {
		t.Fatal(err)
	}
	var added struct{ ID string }
	decode(t, one.command(t, http.MethodPost, "/certs?org_id="+org, string(pem)), &added)
	if added.ID != org+friend.fingerprint() {
		t.Fatalf("the id is %q", added.ID)
	}
	if text := two.command(t, http.MethodGet, "/certs?org_id="+org, nil); text != `{"certs":["`+added.ID+`"]}` {
		t.Errorf("the other gateway has %s", text)
	}
	statuses(403) // stored, and not on the list
	list(added.ID)
	statuses(200)
	if r := one.ask(t, http.MethodDelete, "/certs/"+added.ID, nil); r.status != http.StatusConflict || !strings.Contains(r.body, "The API mutual lets it in") {
		t.Errorf("removing what is on the list: %d %s", r.status, r.body)
	}
	list(org + server.fingerprint())
	statuses(403)
	one.command(t, http.MethodDelete, "/certs/"+added.ID, nil)
	if text := two.command(t, http.MethodGet, "/certs", nil); text != `{"certs":[]}` {
		t.Errorf("the other gateway still has %s", text)
	}
}
