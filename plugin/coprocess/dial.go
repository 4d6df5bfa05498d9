package coprocess

import (
	"fmt"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/grapnel-gateway/grapnel"
)

// dialTarget makes the target that grpc dials of the configured one [A-63,
// L-13]. Targets with a scheme that grpc resolves are taken as they are. A bare
// host and port is resolved anew by every attempt to connect, so that a name
// which appears late or moves is found at once [L-14]; spreading calls over all
// its addresses needs the resolver instead.
func dialTarget(configured string, spread bool) (string, error) {
	for _, scheme := range []string{"dns:", "unix:", "unix-abstract:", "passthrough:"} {
		if rest, ok := strings.CutPrefix(configured, scheme); ok && strings.Trim(rest, "/") != "" {
			return configured, nil
		}
	}
	address := strings.TrimPrefix(configured, "tcp://")
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" || strings.Contains(address, "/") {
		return "", fmt.Errorf("%q is not a plugin target; write it as host:port, tcp://host:port, dns:///name:port, unix:///path or passthrough:///address", configured)
	}
	if spread {
		return "dns:///" + address, nil
	}
	return "passthrough:///" + address, nil
}

// maxBackoff bounds the pause between two attempts to connect, so that a server
// that comes up is used at once.
const maxBackoff = time.Second

// The sizes of a connection: how much a server may send ahead of its reader, in
// one answer and in all, and how much is read or written at once.
const (
	streamWindow = 1 << 20
	connWindow   = 16 << 20
	socketBuffer = 128 << 10
)

func options(s grapnel.PluginServer) []grpc.DialOption {
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), // [W-3]
		grpc.WithDefaultCallOptions(grpc.StaticMethod(), grpc.ForceCodecV2(codec{})),
		// Windows that are large from the start need no probing, which is a
		// ping with every call; and a body takes few system calls.
		grpc.WithStaticStreamWindowSize(streamWindow), grpc.WithStaticConnWindowSize(connWindow),
		grpc.WithReadBufferSize(socketBuffer), grpc.WithWriteBufferSize(socketBuffer),
		// Neither the environment nor the DNS decides how plugins are called.
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: maxBackoff},
			MinConnectTimeout: 5 * time.Second,
		}),
		// Servers punish pings that come more often than every five
		// minutes. The timeout does the work: it is the kernel's limit for
		// data that the other side does not acknowledge.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 6 * time.Minute, Timeout: 10 * time.Second}),
	}
	if s.Authority != "" {
		opts = append(opts, grpc.WithAuthority(s.Authority))
	}
	if s.Balance.Method == "round_robin" {
		opts = append(opts, grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))
	}
	if s.MaxReceive > 0 {
		opts = append(opts, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(int(s.MaxReceive))))
	}
	if s.MaxSend > 0 {
		opts = append(opts, grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(int(s.MaxSend))))
	}
	return opts
}
