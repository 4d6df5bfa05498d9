package config

import (
	"github.com/grapnel-gateway/grapnel"
)

// checkObservation reports faults of where the gateway is watched.
func checkObservation(s *grapnel.Server, r *report) {
	if p := s.Metrics.Path; p != "" {
		switch {
		case p[0] != '/' || p == "/":
			r.add("metrics.path", "%q is not a path of its own; write it as /metrics", p)
		case p == s.Admin.Health || p == "/ready":
			r.add("metrics.path", "%q is the path of the health report", p)
		}
		if !s.Metrics.Enabled {
			r.add("metrics.path", "has no effect while metrics.enabled is false")
		}
	}
	if e := s.Tracing.Endpoint; e != "" && !isHostPort(e) {
		r.add("tracing.endpoint", "%q is not the address of a collector; write it as host:port", e)
	}
	if s.Tracing.Endpoint != "" && s.Tracing.Service == "" {
		r.add("tracing.service", "missing; traces need the name of who made them")
	}
}
