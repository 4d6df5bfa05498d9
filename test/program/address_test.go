package program

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

// TestFreeAddr: nobody answers there, and who wants to listen there can, again and
// again.
func TestFreeAddr(t *testing.T) {
	addr := FreeAddr(t)
	for range 2 {
		if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a connection to nobody: %v", err)
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := net.Listen("tcp", addr); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second listener: %v", err)
		}
		l.Close()
	}
}
