package server

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"unicode"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin"
)

// A generation is what one load of the configuration made: the routing table,
// the compiled APIs and the right to use their plugin servers. It lives until
// it is not the current one any more and its last exchange has ended.
type generation struct {
	table   *table
	byID    map[string]*route
	byName  map[string]*route // for loops: by id and by name
	lease   *plugin.Lease
	nowhere *route       // what requests without an API belong to
	users   atomic.Int64 // exchanges, and one for being current
}

// generate makes a generation of a configuration; on error nothing is left of
// it.
func (s *Server) generate(c *grapnel.Config) (*generation, error) {
	lease, err := s.pool.Lease(c.Plugins)
	if err != nil {
		return nil, err
	}
	g := &generation{table: newTable(), byID: map[string]*route{}, byName: map[string]*route{}, lease: lease, nowhere: &route{api: &grapnel.API{}, metrics: s.metrics.API("")}}
	g.users.Store(1)
	for _, api := range c.APIs {
		if err := s.publish(g, api); err != nil {
			lease.Release()
			return nil, err
		}
	}
	return g, nil
}

// publish compiles one API and makes it reachable.
func (s *Server) publish(g *generation, api *grapnel.API) error {
	handle, err := s.compile(g, api)
	if err != nil {
		return fmt.Errorf("api %q: %w", api.ID, err)
	}
	r := &route{api: api, handle: handle, log: s.log.With(slog.String("api", api.ID)), metrics: s.metrics.API(api.ID)}
	if name := loopName(api.Name); name != "" && g.byName[name] == nil {
		g.byName[name] = r
	}
	g.byID[api.ID] = r
	g.byName[loopName(api.ID)] = r
	if api.Internal {
		return nil
	}
	return g.table.add(r)
}

// loopName is how a loop spells an API's id or name: letters and digits in
// lower case.
func loopName(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// acquire takes the generation for one exchange. It fails once the generation
// has ended.
func (g *generation) acquire() bool {
	for {
		n := g.users.Load()
		if n == 0 {
			return false
		}
		if g.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release gives the generation back; the last one ends it.
func (g *generation) release() {
	if g.users.Add(-1) == 0 {
		g.lease.Release()
	}
}
