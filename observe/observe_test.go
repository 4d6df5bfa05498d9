package observe_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/observe"
)

func TestNewLogger(t *testing.T) {
	for _, c := range []struct {
		log  grapnel.Log
		want string // how the line begins; empty for a refusal
	}{
		{grapnel.Log{}, `{"time":`},
		{grapnel.Log{Format: "json", Level: "debug"}, `{"time":`},
		{grapnel.Log{Format: "text", Level: "warn"}, `time=`},
		{grapnel.Log{Format: "xml"}, ""},
		{grapnel.Log{Level: "loud"}, ""},
	} {
		out := &strings.Builder{}
		log, err := observe.NewLogger(out, c.log)
		if (err != nil) != (c.want == "") {
			t.Errorf("%+v: %v", c.log, err)
			continue
		}
		if err == nil {
			log.Info("quiet")
			log.Warn("loud")
			if !strings.HasPrefix(out.String(), c.want) || strings.Contains(out.String(), "quiet") == (c.log.Level == "warn") {
				t.Errorf("%+v: %q", c.log, out)
			}
		}
	}
}

// The line has the hooks' milliseconds and no query, which may hold secrets.
func TestAccess(t *testing.T) {
	out := &strings.Builder{}
	log, err := observe.NewLogger(out, grapnel.Log{})
	if err != nil {
		t.Fatal(err)
	}
	x := &grapnel.Exchange{
		ID: "the-id", Log: log, Start: time.Now(), Client: netip.MustParseAddr("10.1.2.3"),
		Request: httptest.NewRequest("GET", "/orders/7?token=secret", nil),
		Calls: []grapnel.Call{
			{Stage: grapnel.Pre, Plugin: "p", Hook: "h", Took: 1500 * time.Microsecond},
			{Stage: grapnel.Response, Plugin: "p", Hook: "r", Took: 250 * time.Microsecond},
		},
	}
	x.Request.URL.Path = "/changed/by/a/hook"
	observe.Access(x, 200, 42)
	var line struct {
		ID     string `json:"request_id"`
		Client string
		Path   string
		Status int
		Bytes  int
		Hooks  map[string]float64
	}
	if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
		t.Fatal(err)
	}
	if line.ID != "the-id" || line.Client != "10.1.2.3" || line.Path != "/orders/7" || line.Status != 200 || line.Bytes != 42 {
		t.Errorf("%+v", line)
	}
	if line.Hooks["pre.p.h"] != 1.5 || line.Hooks["response.p.r"] != 0.25 {
		t.Errorf("hooks %v", line.Hooks)
	}
	if strings.Contains(out.String(), "secret") {
		t.Error("the query is in the log")
	}
}
