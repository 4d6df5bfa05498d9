// The program scripted is the plugin server of package plugintest as a process
// of its own, so that tests can kill it.
//
//	scripted -listen 127.0.0.1:0 -record 127.0.0.1:0
//
// It prints one line of JSON: target is where it speaks gRPC, record the URL
// at which /calls?case=ID and /events tell what it received. Its verb die
// kills the process; SIGTERM ends it when the calls under way have their answers.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
)

// settings are the flags.
type settings struct {
	listen, record     string
	cert, key, clients string
	forget             bool
}

func main() {
	var s settings
	flag.StringVar(&s.listen, "listen", listenAddress(), "`address` of the plugin server: host:port or unix:///path")
	flag.StringVar(&s.record, "record", "127.0.0.1:0", "`address` at which it tells what it received")
	flag.StringVar(&s.cert, "cert", "", "PEM `file` with its certificate; without one it speaks in clear")
	flag.StringVar(&s.key, "key", "", "PEM `file` with the certificate's key")
	flag.StringVar(&s.clients, "clients", "", "PEM `file` with the authorities of its clients' certificates")
	flag.BoolVar(&s.forget, "forget", false, "do not remember calls")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "scripted:", err)
		os.Exit(1)
	}
}

// listenAddress is the socket that a gateway which runs the program has told it of,
// and else a free port.
func listenAddress() string {
	if socket := os.Getenv("GRAPNEL_PLUGIN_SOCKET"); socket != "" {
		return "unix://" + socket
	}
	return "127.0.0.1:0"
}

// run serves until the process is told to end, or killed.
func run(s settings) error {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	more, err := s.secured()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.record)
	if err != nil {
		return fmt.Errorf("record endpoint: %w", err)
	}
	server, err := plugintest.Listen(s.listen, kill, more...)
	if err != nil {
		return err
	}
	if s.forget {
		server.Forget()
	}
	where := map[string]string{"target": server.Target, "record": "http://" + l.Addr().String()}
	if err := json.NewEncoder(os.Stdout).Encode(where); err != nil {
		return fmt.Errorf("telling where it listens: %w", err)
	}
	failed := make(chan error, 1)
	go func() { failed <- http.Serve(l, server.Script) }()
	select {
	case err := <-failed:
		return err
	case <-asked:
		server.Drain()
		return nil
	}
}

// secured are the options by which the server has its certificate, and asks its
// clients for theirs.
func (s settings) secured() ([]grpc.ServerOption, error) {
	if s.cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}}
	if s.clients != "" {
		pem, err := os.ReadFile(s.clients)
		if err != nil {
			return nil, fmt.Errorf("authorities of clients: %w", err)
		}
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", s.clients)
		}
	}
	return []grpc.ServerOption{grpc.Creds(credentials.NewTLS(c))}, nil
}

// kill ends the process as the operating system would, with no farewell on any
// connection.
func kill() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		p.Kill()
	}
}
