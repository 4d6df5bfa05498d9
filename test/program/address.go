package program

import (
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
)

// FreeAddr returns an address of this machine at which nothing listens. Nobody who
// asks the system for any port is given this one before the test ends: a socket is
// bound to it that does not listen, and lets those listen who name the address.
// Where a system has no such sockets the address is free, and no more.
func FreeAddr(t testing.TB) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(socket)
	release := sync.OnceFunc(func() { syscall.Close(socket) })
	t.Cleanup(release)
	addr, err := bind(socket)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		release()
		return addr
	}
	l.Close()
	return addr
}

// bind gives the socket a port that nobody has.
func bind(socket int) (addr string, err error) {
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return "", err
	}
	local := netip.MustParseAddr("127.0.0.1")
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: local.As4()}); err != nil {
		return "", err
	}
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		return "", err
	}
	return netip.AddrPortFrom(local, uint16(bound.(*syscall.SockaddrInet4).Port)).String(), nil
}
