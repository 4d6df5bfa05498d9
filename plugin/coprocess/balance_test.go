package coprocess

import (
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// nameserver answers every question for an IPv4 address with these.
func nameserver(t *testing.T, addresses ...[4]byte) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		packet := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return // closed
			}
			if reply, err := resolve(packet[:n], addresses); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

func resolve(query []byte, addresses [][4]byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		for _, a := range addresses {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
				Body:   &dnsmessage.AResource{A: a},
			})
		}
	}
	return m.Pack()
}

// T-73: calls go to all addresses of a name, or keep to one.
func TestRoundRobin(t *testing.T) {
	one := start(t)
	_, port, _ := net.SplitHostPort(one.address)
	two := startAt(t, "tcp", "127.0.0.2:"+port)
	target := "dns://" + nameserver(t, [4]byte{127, 0, 0, 1}, [4]byte{127, 0, 0, 2}) + "/plugins.test:" + port

	used := func(method string) (n int) {
		c := dial(t, grapnel.PluginServer{Target: target, Balance: grapnel.Balance{Method: method}})
		seen := map[string]bool{}
		for name, p := range map[string]*plugin{"one": one, "two": two} {
			p.edits(func(o *wire.Object) { o.HookName = name })
		}
		ctx := within(t)
		for range 100 {
			o, err := call(ctx, c, &wire.Object{})
			if err != nil {
				t.Fatal(err)
			}
			seen[o.HookName] = true
		}
		for method != "" && len(seen) < 2 { // the second connection may take longer
			o, err := call(ctx, c, &wire.Object{})
			if err != nil {
				t.Fatal(err)
			}
			seen[o.HookName] = true
		}
		return len(seen)
	}
	if n := used("round_robin"); n != 2 {
		t.Errorf("round robin used %d servers", n)
	}
	if n := used(""); n != 1 {
		t.Errorf("without it, %d servers were used", n)
	}
}
