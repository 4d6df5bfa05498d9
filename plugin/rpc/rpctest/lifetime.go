package rpctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// lifetime: servers come, go and come back; connections are closed.
func (open Opener) lifetime(t *testing.T) {
	t.Run("targets", func(t *testing.T) {
		for _, target := range []string{"", "h", "h:", ":1", "http://h:1", "unix:", "unix://", "tcp://h:1/x"} {
			if c, err := open(rpc.Options{Target: target}); err == nil {
				c.Close()
				t.Errorf("target %q was accepted", target)
			}
		}
	})
	t.Run("comes and goes", open.comesAndGoes)
	t.Run("killed with a call under way", func(t *testing.T) {
		s := Serve(t, "tcp", "127.0.0.1:0", nil)
		done := begin(t.Context(), open.conn(t, rpc.Options{Target: s.Target}), MethodHang, nil)
		eventually(t, "the call arrives", func() bool { return s.Hanging() == 1 })
		s.Stop()
		wantFailure(t, await(t, done).err, codes.Unavailable, false)
	})
	t.Run("close", func(t *testing.T) {
		s := Serve(t, "tcp", "127.0.0.1:0", nil)
		c := open.conn(t, rpc.Options{Target: s.Target})
		done := begin(t.Context(), c, MethodHang, nil)
		eventually(t, "the call arrives", func() bool { return s.Hanging() == 1 })
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		wantFailure(t, await(t, done).err, codes.Canceled, false)
		_, err := ask(bounded(t), c, MethodEcho, nil)
		wantFailure(t, err, codes.Canceled, true)
		wantState(t, c, rpc.Failing)
		eventually(t, "the server sees it", func() bool { return s.Left() == 1 })
	})
}

func (open Opener) comesAndGoes(t *testing.T) {
	path := socket(t)
	c := open.conn(t, rpc.Options{Target: "unix://" + path})
	wantState(t, c, rpc.Idle)
	for range 3 {
		_, err := ask(bounded(t), c, MethodEcho, nil)
		wantFailure(t, err, codes.Unavailable, true)
		wantState(t, c, rpc.Failing, rpc.Connecting)
		s := Serve(t, "unix", path, nil)
		eventually(t, "the server is used", func() bool {
			_, err := ask(bounded(t), c, MethodEcho, nil)
			return err == nil
		})
		wantState(t, c, rpc.Ready)
		s.Stop()
		eventually(t, "the server is missed", func() bool { return c.State() != rpc.Ready })
	}
}

// wantState checks a connection's word for how it stands.
func wantState(t *testing.T, c rpc.Conn, any ...rpc.State) {
	t.Helper()
	if got := c.State(); !slices.Contains(any, got) {
		t.Errorf("state %s, want one of %s", got, any)
	}
}

// tls: the server proves who it is, and speaks HTTP/2.
func (open Opener) tls(t *testing.T) {
	certificate, authorities := certificateFor(t, "plugin.test")
	s := Serve(t, "tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	t.Run("trusted", func(t *testing.T) {
		c := open.conn(t, rpc.Options{Target: s.Target, TLS: &tls.Config{RootCAs: authorities, ServerName: "plugin.test"}, MaxReceive: 8 << 20})
		for _, n := range []int{0, 100, 5 << 20} {
			content := pattern(n)
			if got, err := ask(bounded(t), c, MethodEcho, content); err != nil || got != string(content) {
				t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
			}
		}
		if got, err := ask(bounded(t), c, MethodMetadata, nil); err != nil || !slices.Contains(lines(got), ":authority=plugin.test") {
			t.Errorf("%v, %q", err, got)
		}
		parallel(t, c)
	})
	for name, config := range map[string]*tls.Config{
		"wrong name":        {RootCAs: authorities, ServerName: "other.test"},
		"the target's name": {RootCAs: authorities},
		"unknown authority": {ServerName: "plugin.test"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ask(bounded(t), open.conn(t, rpc.Options{Target: s.Target, TLS: config}), MethodEcho, nil)
			wantFailure(t, err, codes.Unavailable, true)
		})
	}
	for name, protocols := range map[string][]string{"another protocol": {"http/1.1"}, "no protocol": nil} {
		t.Run(name, func(t *testing.T) {
			l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: protocols})
			if err != nil {
				t.Fatal(err)
			}
			accept(t, l, func(c connection) { c.Read(make([]byte, 1)) })
			c := open.conn(t, rpc.Options{Target: l.Addr().String(), TLS: &tls.Config{RootCAs: authorities, ServerName: "plugin.test"}})
			_, err = ask(bounded(t), c, MethodEcho, nil)
			wantFailure(t, err, codes.Unavailable, true)
		})
	}
	t.Run("on one side only", func(t *testing.T) {
		clear := Serve(t, "tcp", "127.0.0.1:0", nil)
		for target, config := range map[string]*tls.Config{s.Target: nil, clear.Target: {RootCAs: authorities, ServerName: "plugin.test"}} {
			_, err := ask(bounded(t), open.conn(t, rpc.Options{Target: target, TLS: config}), MethodEcho, nil)
			wantFailure(t, err, codes.Unavailable, true)
		}
	})
}

// certificateFor makes a certificate that is its own authority.
func certificateFor(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
