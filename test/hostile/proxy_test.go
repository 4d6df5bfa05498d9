package hostile

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// A link is what happens to the connections of a plugin server.
type link int32

const (
	refused  link = iota + 1 // nobody listens any more, and what was open is closed
	reset                    // cut off when the first byte of an answer comes
	nonsense                 // bytes that are not HTTP/2 come in place of answers
)

// A faultProxy stands between the gateway and a plugin server, and does no harm
// until it is told to.
type faultProxy struct {
	listener net.Listener
	target   string
	fault    atomic.Int32

	mu    sync.Mutex
	conns []net.Conn
}

func newFaultProxy(t *testing.T, target string) *faultProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &faultProxy{listener: l, target: target}
	go p.serve()
	t.Cleanup(func() { p.breaks(refused) })
	return p
}

func (p *faultProxy) addr() string { return p.listener.Addr().String() }

// breaks is the end of good connections.
func (p *faultProxy) breaks(l link) {
	p.fault.Store(int32(l))
	if l != refused {
		return
	}
	p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
}

func (p *faultProxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		go func() {
			io.Copy(server, client)
			server.Close()
		}()
		go p.answer(client, server)
	}
}

// answer carries what the server sends.
func (p *faultProxy) answer(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := server.Read(b)
		if err != nil {
			return
		}
		switch link(p.fault.Load()) {
		case reset:
			client.(*net.TCPConn).SetLinger(0)
			return
		case nonsense:
			copy(b[:n], "\xff\x00SSH-2.0 this is not what you wanted")
		}
		if _, err := client.Write(b[:n]); err != nil {
			return
		}
	}
}
