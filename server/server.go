// Package server puts the parts together: it listens, leads each request to its
// API, runs the API's chain and writes what comes out. compile.go is the page
// that lists everything that happens to a request.
package server

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/oauth"
	"github.com/grapnel-gateway/grapnel/observe"
	"github.com/grapnel-gateway/grapnel/plugin"
	"github.com/grapnel-gateway/grapnel/upstream"
)

// Options are what a Server needs beside its configuration.
type Options struct {
	// Open connects to a plugin server; it knows the wire protocols.
	Open func(grapnel.PluginServer) (grapnel.Plugin, error)
	// Keys find and keep the sessions of callers.
	Keys grapnel.Keys
	// Counters count what is limited.
	Counters grapnel.Counters
	// Records hold the sessions of organisations.
	Records grapnel.Records
	// OAuth issues tokens for the APIs that have an authorization server; nil
	// where none has.
	OAuth *oauth.Server
	// Log is the gateway's log.
	Log *slog.Logger
	// Metrics keep figures; nil keeps none.
	Metrics *observe.Metrics
	// Tracer follows exchanges; nil follows none.
	Tracer grapnel.Tracer
}

// A Server is the gateway: an http.Handler that serves the APIs of its current
// configuration, and the listeners in front of it.
type Server struct {
	config grapnel.Server
	stored
	oauth      *oauth.Server
	log        *slog.Logger
	failures   *failures
	pool       *plugin.Pool
	events     *plugin.EventQueue
	webhooks   *observe.Webhooks // the queue's
	decisions  *plugin.Decisions
	transports *upstream.Transports
	metrics    *observe.Metrics
	tracer     grapnel.Tracer // nil where nobody traces
	tunnels    tunnels
	buffers    buffers
	clients    *clients

	own      map[string]http.Handler // the gateway's own paths, set before it serves
	draining atomic.Bool             // replies say goodbye
	reload   sync.Mutex              // one reload at a time
	current  atomic.Pointer[generation]
}

// stored is what all gateways on one store have in common.
type stored struct {
	keys     grapnel.Keys
	counters grapnel.Counters
	records  grapnel.Records
}

// New makes a server of a configuration that was validated. It serves nothing
// yet; plugin servers need not be up.
func New(c *grapnel.Config, o Options) (*Server, error) {
	f, err := newFailures(c.Server)
	if err != nil {
		return nil, err
	}
	webhooks := observe.NewWebhooks(o.Log)
	clients, err := newClients(c.Server.TLS, o.Log)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: c.Server, stored: stored{o.Keys, o.Counters, o.Records}, oauth: o.OAuth, log: o.Log,
		failures: f, clients: clients, transports: upstream.NewTransports(o.Log),
		pool: plugin.NewPool(o.Open), decisions: plugin.NewDecisions(),
		events: plugin.NewEventQueue(o.Log, webhooks), webhooks: webhooks,
		metrics: o.Metrics, tracer: o.Tracer, own: map[string]http.Handler{},
	}
	if err := s.Reload(c); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Handle puts a page of the gateway's own on the main listener: at one path, or
// below it when it ends with a slash. It comes before all APIs. It must not be
// called once the server serves.
func (s *Server) Handle(path string, h http.Handler) { s.own[path] = h }

// Reload replaces the APIs and the plugin servers, all or nothing: on error the
// old ones go on serving. Exchanges under way finish on what they began with.
// What belongs to the process (listeners, limits, log) stays as it is.
func (s *Server) Reload(c *grapnel.Config) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	g, err := s.generate(c)
	if err != nil {
		return err
	}
	if old := s.current.Swap(g); old != nil {
		old.release()
	}
	s.metrics.Keep(c.APIs)
	return nil
}

// Plugins tells how each plugin server of the current configuration stands.
func (s *Server) Plugins() map[string]grapnel.PluginState {
	g := s.acquire()
	if g == nil {
		return nil
	}
	defer g.release()
	return g.lease.States()
}

// Events tells how many events were dropped because too many waited, and how many
// deliveries failed, those of webhooks included.
func (s *Server) Events() (dropped, failed uint64) {
	dropped, failed = s.events.Counts()
	more, moreFailed := s.webhooks.Counts()
	return dropped + more, failed + moreFailed
}

// API returns the API of this id as it is served now, or nil.
func (s *Server) API(id string) *grapnel.API {
	g := s.acquire()
	if g == nil {
		return nil
	}
	defer g.release()
	if r := g.byID[id]; r != nil {
		return r.api
	}
	return nil
}

// APIs are those that are served now.
func (s *Server) APIs() (out []*grapnel.API) {
	g := s.acquire()
	if g == nil {
		return nil
	}
	defer g.release()
	for _, r := range g.byID {
		out = append(out, r.api)
	}
	return out
}

// Tell tells the APIs of an organisation of an event that concerns one of its
// keys [E-4, E-5].
func (s *Server) Tell(t grapnel.EventType, org, key string) {
	g := s.acquire()
	if g == nil {
		return
	}
	defer g.release()
	for _, r := range g.byID {
		api := r.api
		if api.OrgID == org && len(api.Events[t]) > 0 {
			s.events.Tell(g.lease.Plugin, grapnel.Event{Type: t, API: api, Time: time.Now(), Message: string(t), Key: key})
		}
	}
}

// Close gives up everything that the server holds. Exchanges under way keep
// their plugin servers until they end.
func (s *Server) Close() {
	if g := s.current.Swap(nil); g != nil {
		g.release()
	}
	s.events.Close()
	s.transports.Close()
}

// acquire takes the current generation for one exchange; nil means that the
// server is closed.
func (s *Server) acquire() *generation {
	for {
		g := s.current.Load()
		if g == nil || g.acquire() {
			return g
		}
	}
}

// ServeHTTP takes one request through its exchange.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := s.ownPage(r.URL.Path); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	g := s.acquire()
	if g == nil {
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return
	}
	defer g.release()
	x := &grapnel.Exchange{
		ID: requestID(r), Request: r, Log: s.log, API: g.nowhere.api,
		Client: upstream.ClientAddr(r, s.config.TrustedProxies), Start: time.Now(),
	}
	upstream.StripClientCert(r)
	metrics, handle := g.nowhere.metrics, notFound
	if err := s.clients.withdrawn(r.TLS); err != nil {
		handle = refused(err)
	} else if dotSegments(r.URL.Path) {
		handle = badPath
	} else if route, prefix := g.table.find(r.Host, r.URL.Path); route != nil {
		x.API, x.Prefix, x.Log = route.api, prefix, route.log
		metrics, handle = route.metrics, route.handle
	}
	s.exchange(w, x, metrics, handle)
}

// exchange runs the handler and writes its outcome; nothing that happens in it
// takes the process or another exchange down.
func (s *Server) exchange(w http.ResponseWriter, x *grapnel.Exchange, metrics *observe.APIMetrics, handle grapnel.Handler) {
	r := x.Request
	metrics.Begin()
	ended := s.follow(x)
	forwarding, stop := forwardInformational(w, x.Request)
	x.Request = forwarding
	resp, err := run(handle, x)
	stop()
	var code grapnel.Code
	if err != nil {
		resp, code = s.failures.reply(x, err), grapnel.AsError(err).Code
	}
	status := resp.StatusCode
	written, err := s.respond(w, r, resp)
	metrics.End(x, status, code)
	ended(status)
	if s.config.Log.Access {
		observe.Access(x, status, written)
	}
	if err != nil {
		x.Log.Info("reply cut off", "request_id", x.ID, "error", err)
		abort()
	}
}

// follow begins the exchange's span, where anyone traces; what it returns ends it.
func (s *Server) follow(x *grapnel.Exchange) (ended func(status int)) {
	if s.tracer == nil {
		return func(int) {}
	}
	return s.tracer.Exchange(x)
}

// run calls the handler and makes an error of a panic.
func run(handle grapnel.Handler, x *grapnel.Exchange) (resp *http.Response, err error) {
	defer func() {
		if v := recover(); v != nil {
			resp, err = nil, fmt.Errorf("%w: %v\n%s", errPanic, v, debug.Stack())
		}
	}()
	resp, err = handle(x)
	if resp == nil && err == nil {
		err = errors.New("the handler gave neither a response nor an error")
	}
	return resp, err
}

func (s *Server) ownPage(path string) http.Handler {
	if h := s.own[path]; h != nil {
		return h
	}
	for prefix, h := range s.own {
		if n := len(prefix); prefix[n-1] == '/' && len(path) > n && path[:n] == prefix {
			return h
		}
	}
	return nil
}

func notFound(*grapnel.Exchange) (*http.Response, error) {
	return nil, &grapnel.Error{Status: http.StatusNotFound, Code: grapnel.CodeNotFound, Message: "Not Found"}
}

// badPath refuses a path that would mean another one to whoever resolves its
// dots: rules for paths would be tried on the one and the upstream would serve
// the other [RFC 3986 6.2.2.3].
func badPath(*grapnel.Exchange) (*http.Response, error) {
	return nil, &grapnel.Error{Status: http.StatusBadRequest, Code: grapnel.CodeBadRequest, Message: "Bad Request"}
}

// dotSegments reports whether a decoded path has a segment . or ..
func dotSegments(path string) bool {
	for rest := path; ; {
		at := strings.Index(rest, "/.")
		if at < 0 {
			return false
		}
		rest = rest[at+2:]
		if end := strings.TrimPrefix(rest, "."); end == "" || end[0] == '/' {
			return true
		}
	}
}

// requestID is the client's own id of the request when it is a sane one, and a
// new one else.
func requestID(r *http.Request) string {
	return cmp.Or(saneID(r.Header.Get("X-Request-Id")), newID())
}
