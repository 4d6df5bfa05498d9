// The program scripted is the plugin server of package plugintest as a process
// of its own, so that tests can kill it.
//
//	scripted -listen 127.0.0.1:0 -record 127.0.0.1:0
//
// It prints one line of JSON: target is where it speaks gRPC, record the URL
// at which /calls?case=ID and /events tell what it received. Its verb die
// kills the process.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
)

func main() {
	listen := flag.String("listen", listenAddress(), "address of the plugin server: host:port or unix:///path")
	record := flag.String("record", "127.0.0.1:0", "address at which it tells what it received")
	flag.Parse()
	if err := run(*listen, *record); err != nil {
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

// run serves until the process is killed, and returns only an error.
func run(listen, record string) error {
	l, err := net.Listen("tcp", record)
	if err != nil {
		return fmt.Errorf("record endpoint: %w", err)
	}
	s, err := plugintest.Listen(listen, kill)
	if err != nil {
		return err
	}
	where := map[string]string{"target": s.Target, "record": "http://" + l.Addr().String()}
	if err := json.NewEncoder(os.Stdout).Encode(where); err != nil {
		return fmt.Errorf("telling where it listens: %w", err)
	}
	return http.Serve(l, s.Script)
}

// kill ends the process as the operating system would, with no farewell on any
// connection.
func kill() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		p.Kill()
	}
}
