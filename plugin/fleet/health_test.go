package fleet_test

import (
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/grapnel-gateway/grapnel"
)

// watched are settings with health checks about a service.
func watched(service string, targets ...string) grapnel.PluginServer {
	s := settings(targets...)
	s.Health.Interval, s.Health.Service = grapnel.Duration(20*time.Millisecond), service
	s.Balance.Method = "round_robin"
	return s
}

// A replica that says it does not serve is passed over until it says otherwise;
// when none serves, all are asked.
func TestHealthByTheirOwnWord(t *testing.T) {
	for _, service := range []string{"", "plugins"} {
		t.Run(service, func(t *testing.T) {
			var words []*health.Server
			var targets []string
			for _, name := range []string{"a", "b"} {
				word := health.NewServer()
				word.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
				r := serve(t, name, "127.0.0.1:0", func(s *grpc.Server) { healthpb.RegisterHealthServer(s, word) })
				words, targets = append(words, word), append(targets, r.address)
			}
			f := open(t, watched(service, targets...))
			says := func(i int, state healthpb.HealthCheckResponse_ServingStatus) {
				words[i].SetServingStatus(service, state)
				want := state == healthpb.HealthCheckResponse_SERVING
				eventually(t, "it is heard", func() bool { return endpoint(t, f, targets[i]).Healthy == want })
			}
			says(0, healthpb.HealthCheckResponse_NOT_SERVING)
			if got := spread(t, f, 10); got["b"] != 10 {
				t.Errorf("one serves, and calls went to %v", got)
			}
			says(1, healthpb.HealthCheckResponse_NOT_SERVING)
			if got := spread(t, f, 10); got["a"] != 5 {
				t.Errorf("none serves, and calls went to %v", got)
			}
			says(0, healthpb.HealthCheckResponse_SERVING)
			if got := spread(t, f, 10); got["a"] != 10 {
				t.Errorf("the other one serves, and calls went to %v", got)
			}
		})
	}
}

// A replica without the health service counts as healthy and is left in peace; one
// that is lost is found again without a call.
func TestHealthOfOthers(t *testing.T) {
	all, targets := many(t, 2)
	f := open(t, watched("", targets...))
	ready := func(i int) bool { return endpoint(t, f, targets[i]).State == "ready" }
	for i := range all {
		eventually(t, "it is connected before the first call", func() bool { return ready(i) })
	}
	if got := spread(t, f, 10); got["a"] != 5 || got["b"] != 5 {
		t.Errorf("calls went to %v", got)
	}
	all[0].server.GracefulStop()
	if got := spread(t, f, 10); got["b"] != 10 {
		t.Errorf("calls went to %v", got)
	}
	back := serve(t, "a", targets[0])
	eventually(t, "it is found", func() bool { return ready(0) })
	eventually(t, "it is used", func() bool { return spread(t, f, 10)["a"] == 5 })
	if e := endpoint(t, f, targets[0]); !e.Healthy || e.Calls != uint64(5+back.calls.Load())+e.Failures {
		t.Errorf("checks count as calls: %+v", e)
	}
}
