package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func byIdle(b *bench, s *series) error {
	g, err := b.open(target{program: "grapnel"})
	if err != nil {
		return err
	}
	defer g.stop()
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for _, n := range []int{0, 1000, 2000, 5000, 10_000} {
		for len(open) < n {
			c, err := connect(g.addr())
			if err != nil {
				return fmt.Errorf("connection %d: %w", len(open)+1, err)
			}
			open = append(open, c)
		}
		time.Sleep(time.Second) // for what the last ones needed
		bytes, err := g.memory()
		if err != nil {
			return err
		}
		s.points = append(s.points, point{float64(n), []float64{float64(bytes) / (1 << 20)}})
	}
	return nil
}

// connect opens a connection and has one request answered on it.
func connect(addr string) (net.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(patience))
	_, err = io.WriteString(c, "GET /bench HTTP/1.1\r\nHost: bench\r\n\r\n")
	if err == nil {
		_, err = c.Read(make([]byte, 4<<10))
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// reloadRate is the load during which definitions are loaded anew, in requests a
// second.
const reloadRate = 2000

// byLoading starts gateways with so many definitions and has them reload under
// load.
func byLoading(b *bench, s *series) error {
	s.note = fmt.Sprintf("From the start of the process until it serves; and from the signal to read the file again, under %d requests a second, until the one API that is new in it is served. Times count from when a request was due.", reloadRate)
	for _, n := range []int{10, 100, 1000, 10_000} {
		begin := time.Now()
		g, err := b.begin(target{program: "grapnel", more: n - 1})
		if err != nil {
			return err
		}
		started := time.Since(begin)
		load := fire{addr: g.addr(), connections: b.connections, rate: reloadRate, lasts: b.duration, request: plain("/bench", nil)}
		before, err := load.run(b.ctx)
		if err != nil {
			return err
		}
		took, meanwhile, err := b.reload(g, load)
		g.stop()
		if err != nil {
			return err
		}
		s.points = append(s.points, point{float64(n), []float64{
			started.Seconds(), took.Seconds(), float64(meanwhile.requests), float64(meanwhile.failed), milliseconds(before.p99), milliseconds(meanwhile.p99),
		}})
	}
	return nil
}

// reload publishes one more API under load, and returns how long it took to be
// served and what became of the load meanwhile. A connection that breaks is an
// error.
func (b *bench) reload(g *gateway, f fire) (took time.Duration, l load, err error) {
	config := filepath.Join(g.dir, "grapnel.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		return 0, l, err
	}
	const path = "/fresh/" // belongs to the measured API until the new one is there, whose upstream is not
	text = fmt.Appendf(text, "\n  - { id: fresh, listen_path: %s, target: http://127.0.0.1:1 }\n", path)
	if err := os.WriteFile(config, text, 0o600); err != nil {
		return 0, l, err
	}
	ctx, stop := context.WithCancel(b.ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		var err error
		f.lasts = 0
		l, err = f.run(ctx)
		served <- err
	}()
	begin := time.Now()
	if err := syscall.Kill(g.pid, syscall.SIGHUP); err != nil {
		return 0, l, err
	}
	for took == 0 && time.Since(begin) < patience {
		if status, _, err := get("http://"+g.addr()+path, nil); err == nil && status != http.StatusOK {
			took = time.Since(begin)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if took == 0 {
		return 0, l, g.complain("does not reload")
	}
	time.Sleep(time.Second) // the old definitions go
	stop()
	err = <-served
	return took, l, err
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }
