package direct

import (
	"strings"
	"syscall"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// tcpUserTimeout is the kernel's option for how long data that was sent may go
// without acknowledgement before the connection fails, in milliseconds.
const tcpUserTimeout = 0x12

// control makes the kernel give a server up that does not acknowledge data.
func control(network, _ string, raw syscall.RawConn) (err error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	failed := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(rpc.KeepaliveTimeout.Milliseconds()))
	})
	if failed != nil {
		return failed
	}
	return err
}
