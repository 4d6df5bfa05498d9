package fleet_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/grapnel-gateway/grapnel/plugin/fleet"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// A nameserver answers questions about the hosts and services that it knows.
type nameserver struct {
	address string

	mu       sync.Mutex
	hosts    map[string][]string // IPv4 addresses by name
	services map[string][]dnsmessage.SRVResource
	mute     bool
}

// newNameserver starts one on a free port.
func newNameserver(t *testing.T) *nameserver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &nameserver{address: conn.LocalAddr().String(), hosts: map[string][]string{}, services: map[string][]dnsmessage.SRVResource{}}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		packet := make([]byte, 512)
		for {
			size, from, err := conn.ReadFrom(packet)
			if err != nil {
				return // closed
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:size]) == nil {
				if reply, err := n.answer(m); err == nil {
					conn.WriteTo(reply, from)
				}
			}
		}
	}()
	return n
}

func (n *nameserver) answer(m dnsmessage.Message) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	q := m.Questions[0]
	header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}
	if n.mute {
		m.RCode = dnsmessage.RCodeServerFailure
		return m.Pack()
	}
	switch q.Type {
	case dnsmessage.TypeA:
		for _, a := range n.hosts[q.Name.String()] {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: [4]byte(net.ParseIP(a).To4())}})
		}
	case dnsmessage.TypeSRV:
		for _, s := range n.services[q.Name.String()] {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &s})
		}
	}
	return m.Pack()
}

// set gives a name these addresses; none is that it does not exist.
func (n *nameserver) set(name string, addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[name] = addresses
}

// serve adds a record to a service.
func (n *nameserver) serve(name string, s dnsmessage.SRVResource) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.services[name] = append(n.services[name], s)
}

func (n *nameserver) silence(mute bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mute = mute
}

// addressesOf are those that the fleet knows.
func addressesOf(f *fleet.Fleet) (all []string) {
	for _, e := range f.Snapshot().Endpoints {
		all = append(all, e.Address)
	}
	return all
}

// siblings start replicas on one port of several loopback addresses.
func siblings(t *testing.T, hosts ...string) (all []*replica, port string) {
	t.Helper()
	for i, h := range hosts {
		if i == 0 {
			all = append(all, serve(t, h, h+":0"))
			_, port, _ = net.SplitHostPort(all[0].address)
			continue
		}
		all = append(all, serve(t, h, net.JoinHostPort(h, port)))
	}
	return all, port
}

// All addresses of a name are asked; one that is gone finishes its calls, and one
// that is new gets some. What is known stays while the DNS is out.
func TestNames(t *testing.T) {
	all, port := siblings(t, "127.0.0.1", "127.0.0.2", "127.0.0.3")
	n := newNameserver(t)
	n.set("plugins.test.", "127.0.0.1", "127.0.0.2")
	s := settings("dns://" + n.address + "/plugins.test:" + port)
	s.Balance.Method = "round_robin"
	f := open(t, s)
	if got := spread(t, f, 10); got["127.0.0.1"] != 5 || got["127.0.0.2"] != 5 {
		t.Fatalf("calls went to %v", got)
	}
	leave := make(chan struct{})
	all[0].does(func(ctx context.Context) error {
		select {
		case <-leave:
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	held := make(chan error, 1)
	go func() {
		name, err := say(context.Background(), f)
		for err == nil && name != "127.0.0.1" {
			name, err = say(context.Background(), f)
		}
		held <- err
	}()
	eventually(t, "a call is held", func() bool { return all[0].under.Load() == 1 })
	n.set("plugins.test.", "127.0.0.2", "127.0.0.3")
	eventually(t, "the new addresses are known", func() bool {
		return slices.Equal(addressesOf(f), []string{"127.0.0.2:" + port, "127.0.0.3:" + port})
	})
	close(leave)
	if err := <-held; err != nil {
		t.Errorf("the call under way at the address that is gone: %v", err)
	}
	if got := spread(t, f, 10); got["127.0.0.3"] != 5 || got["127.0.0.1"] != 0 {
		t.Errorf("calls went to %v", got)
	}
	n.silence(true)
	all[1].server.Stop() // which has the name looked up again
	all[2].server.Stop()
	eventually(t, "everything is down", func() bool { _, err := say(t.Context(), f); return rpc.Unsent(err) })
	if got := addressesOf(f); len(got) != 2 {
		t.Errorf("while the DNS is out, %v is known", got)
	}
}

// A name that appears late is found when somebody wants to use it.
func TestNameAppears(t *testing.T) {
	all, port := siblings(t, "127.0.0.1")
	n := newNameserver(t)
	f := open(t, settings("dns://"+n.address+"/plugins.test:"+port))
	if _, err := say(t.Context(), f); !rpc.Unsent(err) {
		t.Errorf("without an address: %v", err)
	}
	if got := f.State(); got != rpc.Failing {
		t.Errorf("state %v", got)
	}
	n.set("plugins.test.", "127.0.0.1")
	eventually(t, "it is found", func() bool { _, err := say(t.Context(), f); return err == nil })
	if all[0].calls.Load() != 1 {
		t.Errorf("%d calls", all[0].calls.Load())
	}
}

// The servers of a service are those that are named first.
func TestServices(t *testing.T) {
	all, _ := siblings(t, "127.0.0.1", "127.0.0.2")
	other := serve(t, "other", "127.0.0.3:0")
	n := newNameserver(t)
	for i, r := range append(all, other) {
		host, port, _ := net.SplitHostPort(r.address)
		name := fmt.Sprintf("host%d.test.", i)
		n.set(name, host)
		var number uint16
		fmt.Sscan(port, &number)
		n.serve("_grpc._tcp.test.", dnsmessage.SRVResource{Priority: uint16(i / 2), Weight: 1, Port: number, Target: dnsmessage.MustNewName(name)})
	}
	s := settings("srv://" + n.address + "/_grpc._tcp.test")
	s.Balance.Method = "round_robin"
	if got := spread(t, open(t, s), 10); got["127.0.0.1"] != 5 || got["127.0.0.2"] != 5 {
		t.Errorf("calls went to %v", got)
	}
}

// Every form of a target is connected to [A-63, L-13].
func TestTargets(t *testing.T) {
	tcp := serve(t, "tcp", "127.0.0.1:0")
	path := filepath.Join(t.TempDir(), "p.sock")
	abstract := fmt.Sprintf("grapnel-test-%s", tcp.address)
	for network, at := range map[string]string{"socket": path, "abstract": "@" + abstract} {
		l, err := net.Listen("unix", at)
		if err != nil {
			t.Fatal(err)
		}
		serveWith(t, network, l, nil)
	}
	_, port, _ := net.SplitHostPort(tcp.address)
	for target, want := range map[string]string{
		tcp.address:                     "tcp",
		"tcp://" + tcp.address:          "tcp",
		"localhost:" + port:             "tcp",
		"passthrough:///" + tcp.address: "tcp",
		"dns:///127.0.0.1:" + port:      "tcp",
		"dns:127.0.0.1:" + port:         "tcp",
		"unix://" + path:                "socket",
		"unix:" + path:                  "socket",
		"unix-abstract:" + abstract:     "abstract",
	} {
		t.Run(target, func(t *testing.T) {
			if got, err := say(t.Context(), open(t, settings(target))); err != nil || got != want {
				t.Errorf("%q answered (%v)", got, err)
			}
		})
	}
}
