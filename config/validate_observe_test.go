package config

import "testing"

// TestObservationChecks: the line follows a good configuration, on line 2.
func TestObservationChecks(t *testing.T) {
	for line, want := range map[string]string{
		`metrics: { path: metrics }`:                    `metrics.path: "metrics" is not a path of its own; write it as /metrics`,
		`metrics: { path: / }`:                          `metrics.path: "/" is not a path of its own; write it as /metrics`,
		`metrics: { path: /hello }`:                     `metrics.path: "/hello" is the path of the health report`,
		`metrics: { enabled: false, path: /m }`:         `metrics.path: has no effect while metrics.enabled is false`,
		`tracing: { endpoint: "http://otel:4317" }`:     `tracing.endpoint: "http://otel:4317" is not the address of a collector; write it as host:port`,
		`tracing: { endpoint: otel }`:                   `tracing.endpoint: "otel" is not the address of a collector; write it as host:port`,
		`tracing: { endpoint: "x:4317", sample: 101% }`: `tracing.sample: "101%" is not a share; write it as 5% or 0.5%`,
		`tracing: { endpoint: "x:4317", service: "" }`:  `tracing.service: missing; traces need the name of who made them`,
	} {
		if got := failure(t, smallest+"\n"+line+"\n"); got != "g.yaml:2: "+want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
