package auth_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/auth"
)

type told struct {
	event   grapnel.EventType
	message string
}

func (t *told) Fire(_ *grapnel.Exchange, e grapnel.EventType, message string) {
	t.event, t.message = e, message
}

// C-13, S-49, E-7, T-122, T-123: sessions that hold no more, and who hears of it.
func TestValid(t *testing.T) {
	for _, c := range []struct {
		name    string
		session grapnel.Session
		open    bool
		status  int
		message string
		told    told
	}{
		{"no expiry", grapnel.Session{}, false, 200, "", told{}},
		{"expiry -1 is never", grapnel.Session{Expires: -1}, false, 200, "", told{}},
		{"expires later", grapnel.Session{Expires: time.Now().Add(time.Hour).Unix()}, false, 200, "", told{}},
		{"expired", grapnel.Session{Expires: 1479033599}, false, 401, "Key has expired, please renew",
			told{grapnel.EventKeyExpired, "Attempted access from expired key."}},
		{"inactive", grapnel.Session{IsInactive: true}, false, 403, "Key is inactive, please renew",
			told{grapnel.EventKeyExpired, "Attempted access from inactive key."}},
		{"inactive, open path", grapnel.Session{IsInactive: true}, true, 200, "", told{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			heard := &told{}
			api := &grapnel.API{ID: "a", Auth: []grapnel.AuthMethod{{}}}
			x := &grapnel.Exchange{API: api, Session: &c.session, Open: c.open, Log: slog.New(slog.DiscardHandler), Request: httptest.NewRequest("GET", "/", nil)}
			resp, err := auth.Valid(api, heard)(func(*grapnel.Exchange) (*http.Response, error) {
				return grapnel.Reply(200, nil, nil), nil
			})(x)
			status, message := 0, ""
			if err != nil {
				e := grapnel.AsError(err)
				status, message = e.Status, e.Message
			} else {
				status = resp.StatusCode
			}
			if status != c.status || message != c.message || *heard != c.told {
				t.Errorf("%d %q, told %+v", status, message, *heard)
			}
		})
	}
	if auth.Valid(&grapnel.API{}, nil) != nil {
		t.Error("an API that is open to everyone pays for it")
	}
}
