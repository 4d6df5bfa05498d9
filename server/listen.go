package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/server/h1"
)

// farewell is how long a draining listener goes on answering, with Connection:
// close, so that clients in the middle of a keep-alive conversation learn of
// the end from a reply and not from a broken connection.
const farewell = 300 * time.Millisecond

// Serve serves clients on l until the context ends. Then it drains: requests
// that were accepted get their replies, up to the drain timeout, and tunnels are
// closed. It returns nil after a drain in which nothing was lost.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	standard, err := s.httpServer()
	if err != nil {
		return err
	}
	var srv front = standard
	serve := srv.Serve
	switch {
	case standard.TLSConfig != nil:
		serve = func(l net.Listener) error { return standard.ServeTLS(l, "", "") }
	case s.config.HTTP1 != grapnel.ServerStandard:
		srv = h1.New(standard)
		serve = srv.Serve
	}
	served := make(chan error, 1)
	go func() { served <- serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		return s.drain(srv)
	}
}

// A front is what accepts connections and makes requests of what comes on them.
type front interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
	Close() error
}

func (s *Server) drain(srv front) error {
	s.draining.Store(true)
	time.Sleep(farewell)
	ctx := context.Background()
	if d := s.config.Timeouts.Drain; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(d))
		defer cancel()
	}
	err := srv.Shutdown(ctx)
	s.tunnels.Close()
	if err != nil {
		srv.Close()
		return fmt.Errorf("drain: %w: requests were under way after %s", err, time.Duration(s.config.Timeouts.Drain))
	}
	return nil
}

// httpServer makes the HTTP server in front of s: HTTP/1.1 and HTTP/2, with and
// without TLS [G-11], and the configured bounds.
func (s *Server) httpServer() (*http.Server, error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	t := s.config.Timeouts
	srv := &http.Server{
		Handler:           s,
		Protocols:         protocols,
		ReadHeaderTimeout: time.Duration(t.ReadHeader),
		ReadTimeout:       time.Duration(t.Read),
		WriteTimeout:      time.Duration(t.Write),
		IdleTimeout:       time.Duration(t.Idle),
		MaxHeaderBytes:    int(s.config.Limits.Header),
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if len(s.config.TLS.Certificates) == 0 {
		return srv, nil
	}
	certs, err := newCertificates(s.config.TLS.Certificates, s.log)
	if err != nil {
		return nil, err
	}
	srv.TLSConfig = &tls.Config{
		GetCertificate: certs.get,
		MinVersion:     tlsVersion(s.config.TLS),
	}
	s.clients.secure(srv.TLSConfig)
	return srv, nil
}

func tlsVersion(c grapnel.TLS) uint16 {
	if c.MinVersion == "1.3" {
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}
