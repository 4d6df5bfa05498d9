package admin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// the sessions of organisations that have an API.
func TestOrganisations(t *testing.T) {
	onStores(t, func(t *testing.T, url string) {
		s := newSite(t, url, plain())
		s.apis["a"] = &grapnel.API{ID: "a", OrgID: "o"}
		s.want(t, "GET", "/org/keys", "", 200, `{"keys":[]}`)
		s.want(t, "GET", "/org/keys/o", "", 404, refused("Org not found"))
		s.want(t, "DELETE", "/org/keys/o", "", 404, refused("Org not found"))
		for _, method := range []string{"POST", "PUT"} {
			s.want(t, method, "/org/keys/p", `{}`, 404, refused("No such organisation found in Active API list"))
			s.want(t, method, "/org/keys/o", `{`, 400, refused("Request malformed"))
		}
		s.want(t, "POST", "/org/keys/o", `{"rate":5,"per":1,"org_id":"other","future":[1],"basic_auth_data":{"password":"open sesame"}}`, 200, done("o", "added"))
		first := s.session(t, "GET", "/org/keys/o/", "")
		if first.Rate != 5 || first.OrgID != "o" || first.DateCreated == "" || first.LastUpdated == "" || string(first.Extra["future"]) != "[1]" {
			t.Errorf("stored: %+v", first)
		}
		if strings.Contains(first.BasicAuthData.Password, "open sesame") {
			t.Error("a password is stored as it was sent")
		}
		s.want(t, "PUT", "/org/keys/o", `{"is_inactive":true}`, 200, done("o", "modified"))
		if got := s.session(t, "GET", "/org/keys/o", ""); got.Rate != 0 || !got.IsInactive || got.DateCreated != first.DateCreated {
			t.Errorf("changed: %+v", got)
		}
		s.want(t, "GET", "/org/keys?filter=o", "", 200, `{"keys":["o"]}`)
		s.want(t, "GET", "/org/keys?filter=p", "", 200, `{"keys":[]}`)
		s.want(t, "GET", "/keys", "", 200, `{"keys":[]}`)
		s.want(t, "GET", "/keys/orgkey.o", "", 404, refused("Key not found"))
		s.want(t, "DELETE", "/org/keys/o", "", 200, done("o", "deleted"))
		s.want(t, "GET", "/org/keys", "", 200, `{"keys":[]}`)
		s.want(t, "GET", "/org/keys/o", "", 404, refused("Org not found"))
	})
}

// R-42, S-37: what is left of an organisation's quota; a change counts on unless
// it says otherwise.
func TestOrganisationQuota(t *testing.T) {
	s := newSite(t, "memory:", plain())
	s.apis["a"] = &grapnel.API{ID: "a", OrgID: "o"}
	const session = `{"quota_max":3,"quota_renewal_rate":3600}`
	spend := func() {
		t.Helper()
		if _, err := s.store.Spend(t.Context(), grapnel.OrgRecords+"o", 3, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	left := func(want int64) {
		t.Helper()
		if got := s.session(t, "GET", "/org/keys/o", ""); got.QuotaRemaining != want {
			t.Errorf("%d remain, want %d", got.QuotaRemaining, want)
		}
	}
	s.want(t, "POST", "/org/keys/o", session, 200, done("o", "added"))
	left(3)
	spend()
	left(2)
	if got := s.session(t, "GET", "/org/keys/o", ""); !near(got.QuotaRenews, time.Now().Add(time.Hour)) {
		t.Errorf("it renews at %d", got.QuotaRenews)
	}
	s.want(t, "PUT", "/org/keys/o", session, 200, done("o", "modified"))
	left(2)
	s.want(t, "PUT", "/org/keys/o?reset_quota=1", session, 200, done("o", "modified"))
	left(3)
	spend()
	s.want(t, "DELETE", "/org/keys/o", "", 200, done("o", "deleted"))
	s.want(t, "POST", "/org/keys/o", session, 200, done("o", "added"))
	left(3)
}
