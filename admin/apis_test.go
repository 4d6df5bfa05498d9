package admin_test

import (
	"errors"
	"strings"
	"testing"
)

// R-20…R-26, T-212…T-215: definitions are kept as they were sent, and served
// after a reload.
func TestAPIs(t *testing.T) {
	onStores(t, func(t *testing.T, url string) {
		s := newSite(t, url, plain())
		s.want(t, "GET", "/apis", "", 200, `[]`)
		s.want(t, "POST", "/apis", `{"api_id":"b","later":{"x":1}}`, 200, done("b", "added"))
		s.want(t, "POST", "/apis/", `{"api_definition":{"api_id":"a","name":"wrapped"}}`, 200, done("a", "added"))
		s.want(t, "GET", "/apis", "", 200, `[{"api_id":"a","name":"wrapped"},{"api_id":"b","later":{"x":1}}]`)
		s.want(t, "GET", "/apis/b", "", 200, `{"api_id":"b","later":{"x":1}}`)
		s.want(t, "GET", "/apis/none", "", 404, refused("API not found"))
		s.want(t, "PUT", "/apis/b", `{"api_id":"b","name":"changed"}`, 200, done("b", "modified"))
		s.want(t, "PUT", "/apis/none", `{"api_id":"none"}`, 404, refused("API not found"))
		s.want(t, "PUT", "/apis/b", `{"api_id":"a"}`, 400, refused("Request APIID does not match that in Definition! For Update operations these must match."))
		s.want(t, "PUT", "/apis", `{"api_id":"a"}`, 400, refused("Must specify an apiID to update"))
		s.want(t, "DELETE", "/apis", "", 400, refused("Must specify an apiID to delete"))
		s.want(t, "GET", "/apis/b", "", 200, `{"api_id":"b","name":"changed"}`)
		if s.reloads != 0 {
			t.Errorf("%d reloads before one was asked for", s.reloads)
		}
		s.want(t, "DELETE", "/apis/b", "", 200, done("b", "deleted"))
		if s.reloads != 1 {
			t.Errorf("%d reloads after a deletion, want 1", s.reloads)
		}
		s.want(t, "DELETE", "/apis/b", "", 404, refused("API not found"))
		s.want(t, "GET", "/apis", "", 200, `[{"api_id":"a","name":"wrapped"}]`)
	})
}

// a definition without an id gets one, and keeps the rest.
func TestAPIWithoutID(t *testing.T) {
	s := newSite(t, "memory:", plain())
	id := s.key(t, "POST", "/apis", `{"name":"x","big":12345678901234567890}`)
	_, text := s.call(t, "GET", "/apis/"+id, "")
	if want := `{"api_id":"` + id + `","big":12345678901234567890,"name":"x"}`; len(id) != 32 || text != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

// what is not published.
func TestRefusedAPIs(t *testing.T) {
	s := newSite(t, "memory:", plain())
	for _, body := range []string{``, `{`, `null`, `[]`, `"x"`, `{"api_id":1}`, `{"api_definition":null}`, `{"api_definition":[]}`, `{"api_definition":{"api_id":2}}`} {
		s.want(t, "POST", "/apis", body, 400, refused("Request malformed"))
	}
	for _, id := range []string{"../x", "a/b", ".hidden", "..", "a b", strings.Repeat("x", 129), "a\\\\b"} {
		s.want(t, "POST", "/apis", `{"API_ID":"`+id+`"}`, 400, refused("Invalid API ID"))
	}
	s.want(t, "POST", "/apis", `{"api_id":"unservable"}`, 400, refused("Validation of API Definition failed. Reason: it is unservable."))
	s.want(t, "GET", "/apis", "", 200, `[]`)
}

// A deletion that does not get through to who serves is told.
func TestDeletedAPIStillServed(t *testing.T) {
	s := newSite(t, "memory:", plain())
	s.key(t, "POST", "/apis", `{"api_id":"a"}`)
	s.err = errors.New("another definition is broken")
	s.want(t, "DELETE", "/apis/a", "", 500, refused("reload failed, the previous configuration goes on serving"))
}
