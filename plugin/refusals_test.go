package plugin_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin"
)

// Of calls that are not made because a server has too much to do the log is told at
// once, and then once a second, with their number: whether they end the exchange or
// are ignored.
func TestRefusalsAreCounted(t *testing.T) {
	for _, kind := range []grapnel.StepKind{grapnel.StepDeny, grapnel.StepIgnore} {
		synctest.Test(t, func(t *testing.T) {
			p := answers(busy{errors.New("full")}, nil)
			h := hooks(grapnel.Pre, "h")
			h[0].OnError = []grapnel.Step{step(kind)}
			m, err := plugin.Binder{Servers: p.lookup, Events: &fired{}}.Requests(&grapnel.API{ID: "a"}, h)
			if err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			ask := func() {
				x := exchange(t)
				x.Log = slog.New(slog.NewTextHandler(&log, nil))
				_, err := m(pass)(x)
				failed, denied := errors.AsType[*grapnel.Error](err)
				if denied != (kind == grapnel.StepDeny) || denied && (failed.Status != http.StatusServiceUnavailable || !failed.Told) {
					t.Errorf("%v: %v", kind, err)
				}
			}
			for range 2500 { // a second and a quarter
				ask()
				time.Sleep(500 * time.Microsecond)
			}
			time.Sleep(10 * time.Second)
			ask()
			var counts []string
			for line := range strings.Lines(log.String()) {
				_, rest, _ := strings.Cut(line, "calls=")
				n, _, _ := strings.Cut(rest, " ")
				if counts = append(counts, n); !strings.Contains(line, "plugin overloaded") || !strings.Contains(line, "request_id=id") || !strings.Contains(line, "full") {
					t.Errorf("the line %s", line)
				}
			}
			if got := strings.Join(counts, " "); got != "1 1999 500 1" && got != "1 2000 499 1" {
				t.Errorf("%v: the log counts %s", kind, got)
			}
			time.Sleep(2 * time.Second)
		})
	}
}
