// Package sdk is for plugin servers in Go. A plugin is one function, registered
// under its hook's name. It is called for many requests at once. Its error, or
// its panic, fails that one call; the server lives on.
package sdk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// grace is how long calls under way may take to finish at shutdown.
const grace = 30 * time.Second

// A Handler is one hook: it changes the exchange and returns nil, or returns
// an [Answer] for the client. Any other error fails the hook; one with a gRPC
// status keeps it, the rest become INTERNAL.
type Handler func(*Exchange) error

// A Server is a plugin server.
type Server struct {
	coprocess.UnimplementedDispatcherServer
	coprocess.UnimplementedBodyStreamServer
	hooks      map[string]Handler
	streams    map[string]StreamHandler
	event      func(ctx context.Context, payload string) error
	maxMessage int
	err        error // what is wrong with the options
}

// An Option is a part of a [Server].
type Option func(*Server)

// Hook registers a function under a hook's name, of which there can be one. A
// hook that nobody has registered changes nothing.
func Hook(name string, h Handler) Option {
	return func(s *Server) {
		if s.hooks[name] != nil {
			s.err = errors.Join(s.err, fmt.Errorf("two hooks are named %q", name))
		}
		s.hooks[name] = h
	}
}

// OnEvent registers the function that is told of events. The payload is JSON.
func OnEvent(f func(ctx context.Context, payload string) error) Option {
	return func(s *Server) { s.event = f }
}

// MaxMessage bounds what the gateway may send in one call, in bytes; without
// it that is 64 MiB. A body that is text counts twice.
func MaxMessage(bytes int) Option {
	return func(s *Server) { s.maxMessage = bytes }
}

// New returns a server that consists of the options.
func New(options ...Option) *Server {
	s := &Server{hooks: map[string]Handler{}, streams: map[string]StreamHandler{}, maxMessage: 64 << 20}
	for _, o := range options {
		o(s)
	}
	return s
}

// Serve is the main function of a plugin. It serves at the Unix socket named
// by GRAPNEL_PLUGIN_SOCKET, else at the host:port in PLUGIN_LISTEN, else at
// 127.0.0.1:5555, and says so on standard output. SIGTERM or SIGINT ends it,
// with nil, once the calls under way have finished; a second one at once.
func Serve(options ...Option) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	l, err := listen()
	if err != nil {
		return err
	}
	address := l.Addr().String()
	if l.Addr().Network() == "unix" {
		address = "unix://" + address
	}
	fmt.Println("listening on", address)
	return New(options...).Serve(ctx, l)
}

func listen() (net.Listener, error) {
	if path := os.Getenv("GRAPNEL_PLUGIN_SOCKET"); path != "" {
		// A server that was killed has left its socket there.
		if f, err := os.Lstat(path); err == nil && f.Mode().Type() == os.ModeSocket {
			os.Remove(path)
		}
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", cmp.Or(os.Getenv("PLUGIN_LISTEN"), "127.0.0.1:5555"))
}

// Serve answers hooks, events and health checks on the listener until the
// context ends, and then finishes the calls under way, for up to 30 seconds.
// It closes the listener.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if s.err != nil {
		l.Close()
		return s.err
	}
	g, h := grpc.NewServer(grpc.MaxRecvMsgSize(s.maxMessage)), health.NewServer()
	coprocess.RegisterDispatcherServer(g, s)
	coprocess.RegisterBodyStreamServer(g, s)
	grpc_health_v1.RegisterHealthServer(g, h)
	defer context.AfterFunc(ctx, func() {
		h.Shutdown()
		defer time.AfterFunc(grace, g.Stop).Stop()
		g.GracefulStop()
	})()
	if err := g.Serve(l); !errors.Is(err, grpc.ErrServerStopped) { // by a context that had ended before
		return err
	}
	return nil
}

// Dispatch asks the hook that the object names, as the gateway does over gRPC.
func (s *Server) Dispatch(ctx context.Context, o *coprocess.Object) (*coprocess.Object, error) {
	h := s.hooks[o.HookName]
	if h == nil {
		return o, nil
	}
	x := &Exchange{Object: o, ctx: ctx}
	return o, protect("hook "+o.HookName, func() error { return x.answer(h(x)) })
}

// DispatchEvent tells the plugin of an event, as the gateway does over gRPC.
func (s *Server) DispatchEvent(ctx context.Context, e *coprocess.Event) (*coprocess.EventReply, error) {
	if s.event == nil {
		return &coprocess.EventReply{}, nil
	}
	return &coprocess.EventReply{}, protect("event", func() error { return s.event(ctx, e.Payload) })
}

// protect makes a panic of the plugin's an error, and logs where it came from;
// errors without a gRPC status become INTERNAL, but for those of a call that was
// given up: DEADLINE_EXCEEDED and CANCELLED are nobody's bug.
func protect(what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.Error("panic in "+what, "panic", p, "stack", string(debug.Stack()))
			err = status.Errorf(codes.Internal, "panic in %s: %v", what, p)
		}
	}()
	if err = f(); err == nil || status.Code(err) != codes.Unknown {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return status.FromContextError(err).Err()
	}
	return status.Error(codes.Internal, err.Error())
}
