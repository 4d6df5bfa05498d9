package coprocess

import (
	"fmt"
	"net"
	"strings"
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
