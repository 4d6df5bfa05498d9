package coprocess

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/grapnel-gateway/grapnel"
)

// E-3, E-4, E-9: the payload of events.
func TestNotify(t *testing.T) {
	p := start(t)
	c := p.client(t, grapnel.CompatTyk)
	now := time.Date(2026, 3, 4, 5, 6, 7, 80, time.UTC)
	raw := []byte("GET /t/a HTTP/1.1\r\nAuthorization: secret\r\n\r\n")
	for _, kind := range []grapnel.EventType{grapnel.EventAuthFailure, grapnel.EventVersionFailure} {
		err := c.Notify(within(t), "MyHandler", grapnel.Event{
			Type: kind, API: testAPI(), Time: now, Message: "Auth Failure",
			Path: "/t/a", Origin: "192.0.2.1", Key: "key\xff", Reason: "because", Request: raw,
		})
		if err != nil {
			t.Fatal(err)
		}
		meta := map[string]any{
			"Message": "Auth Failure", "OriginatingRequest": base64.StdEncoding.EncodeToString(raw),
			"Path": "/t/a", "Origin": "192.0.2.1", "Key": "key\uFFFD",
		}
		if kind == grapnel.EventVersionFailure {
			meta["Reason"] = "because"
		}
		want := map[string]any{
			"message":      map[string]any{"Type": string(kind), "Meta": meta, "TimeStamp": now.Local().String()},
			"handler_name": "MyHandler",
			"spec":         map[string]any{"APIID": "api-1", "OrgID": "org-1"},
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(p.payload()), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

// E-6: a failure is told.
func TestNotifyFails(t *testing.T) {
	c := start(t).client(t, grapnel.CompatTyk)
	c.Close()
	if err := c.Notify(within(t), "h", grapnel.Event{API: testAPI()}); err == nil {
		t.Error("no error from a closed client")
	}
}
