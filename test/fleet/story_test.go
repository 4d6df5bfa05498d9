package fleet

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
	"github.com/grapnel-gateway/grapnel/store/storetest"
)

// A story is an API with custom authentication, and what happens there.
type story struct {
	id    string // of the statement that it tells of; the API's, too
	hook  hook
	api   object // more of the definition
	turns []turn
	asked int // how often the plugin was asked, in all
}

// A turn is one request of a story.
type turn struct {
	path       string // below the API's, with a query
	credential string // in the Authorization header; empty is none
	body       string // makes the request a POST
	form       bool   // the body is a form
	chunked    bool
	status     int
	refusal    string
}

// passes is a turn that is let through, refused one that is not.
func passes(credential string) turn { return turn{credential: credential, status: http.StatusOK} }

func refused(credential string, status int, message string) turn {
	return turn{credential: credential, status: status, refusal: message}
}

// gives is a hook that lets everyone in who presents a credential, with the
// session.
func gives(s *coprocess.SessionState) hook {
	return accept(func() *coprocess.SessionState { return proto.CloneOf(s) })
}

// custom is what a definition says of custom authentication, with an extractor if
// there is one.
func custom(hook string, extractor object) object {
	middleware := object{"driver": "grpc", "auth_check": object{"name": hook}}
	if extractor != nil {
		middleware["id_extractor"] = extractor
	}
	return object{"enable_coprocess_auth": true, "custom_middleware": middleware}
}

// extractor is an id extractor in a definition.
func extractor(from, with string, config object) object {
	return object{"extract_from": from, "extract_with": with, "extractor_config": config}
}

// valueOfHeader takes the whole Authorization header.
func valueOfHeader() object {
	return extractor("header", "value", object{"header_name": "Authorization"})
}

// tell runs stories on one gateway, which is returned with its site.
func tell(t *testing.T, redis *storetest.Server, stories ...story) (*tykSite, *gateway) {
	t.Helper()
	var definitions []object
	for _, st := range stories {
		d := definition(st.id, custom(st.id, nil))
		maps.Copy(d, st.api)
		definitions = append(definitions, d)
	}
	s := newTykSite(t, redis, nil, definitions...)
	s.conf["policies"] = object{"policy_source": "file", "policy_record_name": s.dir + "/policies.json"}
	write(t, s.dir+"/policies.json", object{
		"one":       object{"org_id": org, "active": true, "quota_max": 1, "quota_renewal_rate": 60, "access_rights": rights("T-118")},
		"elsewhere": object{"org_id": org, "active": true, "access_rights": rights("another")},
		"foreign":   object{"org_id": "another", "active": true, "access_rights": rights("T-119c")},
	})
	for _, st := range stories {
		s.plugin.on(st.id, st.hook)
	}
	g := s.start(t)
	for _, st := range stories {
		t.Run(st.id, func(t *testing.T) {
			for i, turn := range st.turns {
				r := turn.take(t, g, st.id)
				if r.status != turn.status || turn.refusal != "" && r.refusal() != turn.refusal {
					t.Errorf("request %d: %d %q, want %d %q", i+1, r.status, r.refusal(), turn.status, turn.refusal)
				}
				if _, body := s.upstream.seen(); r.status == http.StatusOK && body != turn.body {
					t.Errorf("request %d: the upstream got the body %q, want %q", i+1, body, turn.body)
				}
			}
			if n := s.plugin.called(st.id); n != st.asked {
				t.Errorf("the plugin was asked %d times, want %d", n, st.asked)
			}
		})
	}
	return s, g
}

// take sends the turn's request.
func (turn turn) take(t *testing.T, g *gateway, id string) reply {
	t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if turn.body != "" || turn.form {
		method, body = http.MethodPost, strings.NewReader(turn.body)
	}
	if turn.chunked {
		body = io.MultiReader(body) // whose length nobody knows
	}
	r, err := http.NewRequest(method, "http://"+g.Addr+"/"+id+"/"+turn.path, body)
	if err != nil {
		t.Fatal(err)
	}
	if turn.credential != "" {
		r.Header.Set("Authorization", turn.credential)
	}
	if turn.form {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	got, err := send(g.client, r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
