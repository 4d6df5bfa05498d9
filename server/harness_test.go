package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/config"
	"github.com/grapnel-gateway/grapnel/keys"
	"github.com/grapnel-gateway/grapnel/plugin/coprocess"
	"github.com/grapnel-gateway/grapnel/plugin/fleet"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/direct"
	"github.com/grapnel-gateway/grapnel/server"
	"github.com/grapnel-gateway/grapnel/store"
)

// configuration reads a native configuration; %s in it are the arguments.
func configuration(t testing.TB, yaml string, args ...any) *grapnel.Config {
	t.Helper()
	c, err := config.Parse("test.yaml", fmt.Appendf(nil, yaml, args...), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	c.Server.Log.Access = false
	return c
}

// openPlugin connects to a plugin server as the gateway's command does.
func openPlugin(s grapnel.PluginServer) (grapnel.Plugin, error) {
	f, err := fleet.New(s, func(o rpc.Options) (rpc.Conn, error) { return direct.New(o) }, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return coprocess.New(s, f), nil
}

// A running gateway is one in this process, on a free port.
type running struct {
	*server.Server
	url  string
	keys *keys.Ring
	stop func() error // drains; its result is Serve's
}

func start(t testing.TB, c *grapnel.Config, log io.Writer) *running {
	t.Helper()
	kept := store.NewMemory()
	ring, err := keys.New(kept, c.Server.Keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(c, server.Options{
		Open: openPlugin, Keys: ring, Counters: kept,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	scheme := "http://"
	if len(c.TLS.Certificates) > 0 {
		scheme = "https://"
	}
	var ended bool
	r := &running{Server: s, keys: ring, url: scheme + l.Addr().String()}
	r.stop = func() error {
		if ended {
			return nil
		}
		ended = true
		cancel()
		err := <-served
		s.Close()
		return errors.Join(err, kept.Close())
	}
	t.Cleanup(func() { r.stop() })
	return r
}

// echo is an upstream that tells its name.
func echo(t testing.TB, name string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, "%s %s %s", name, r.URL.RequestURI(), body)
	}))
	t.Cleanup(s.Close)
	return s
}

func get(client *http.Client, url string) (int, string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(body)), err
}
