package storm

import (
	"net"
	"sync"
	"testing"
	"time"
)

// A link is the network between the gateway and one plugin server. It does no harm
// until it is told to.
type link struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	changed *sync.Cond
	stalled bool
	delay   time.Duration
	conns   map[net.Conn]bool
}

func newLink(t *testing.T, target string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: listener, target: target, conns: map[net.Conn]bool{}}
	l.changed = sync.NewCond(&l.mu)
	go l.serve()
	t.Cleanup(func() {
		listener.Close()
		l.stall(false)
		l.reset()
	})
	return l
}

func (l *link) addr() string { return l.listener.Addr().String() }

// stall loses all packets, so that nothing gets through, until it ends; then what
// was lost is sent again, as TCP does.
func (l *link) stall(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stalled = on
	l.changed.Broadcast()
}

// slow delays everything by so much, in each direction.
func (l *link) slow(delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay = delay
}

// reset breaks the connections that stand.
func (l *link) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	clear(l.conns)
}

func (l *link) serve() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.connect(client)
	}
}

func (l *link) connect(client net.Conn) {
	l.wait()
	server, err := net.Dial("tcp", l.target)
	if err != nil {
		client.Close()
		return
	}
	l.mu.Lock()
	l.conns[client], l.conns[server] = true, true
	l.mu.Unlock()
	go l.carry(client, server)
	go l.carry(server, client)
}

// wait lasts as long as nothing gets through.
func (l *link) wait() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.stalled {
		l.changed.Wait()
	}
}

// A packet is what was read at once, and when it arrives.
type packet struct {
	data []byte
	due  time.Time
}

// carry brings what one side sends to the other.
func (l *link) carry(from, to net.Conn) {
	packets := make(chan packet, 1024)
	go func() {
		defer close(packets)
		for {
			b := make([]byte, 16<<10)
			n, err := from.Read(b)
			if err != nil {
				return
			}
			l.mu.Lock()
			due := time.Now().Add(l.delay)
			l.mu.Unlock()
			packets <- packet{b[:n], due}
		}
	}()
	for p := range packets {
		time.Sleep(time.Until(p.due))
		l.wait()
		to.Write(p.data) // where nobody takes it any more, the reader will know
	}
	from.Close()
	to.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, from)
	delete(l.conns, to)
}
