package rpc

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"
)

// Options say how a connection to one address is made. All but Target may be
// left out.
type Options struct {
	// Target is host:port, tcp://host:port, unix:///path, unix:path,
	// unix-abstract:name or passthrough:///host:port.
	Target string
	// TLS secures the connection; nil leaves it in clear. Its ServerName is the
	// target's host if it has none.
	TLS *tls.Config
	// Authority is the :authority of calls; without one it is the name that
	// the server's certificate must have, or else the target.
	Authority string
	// MaxReceive bounds an answer, in bytes; 0 is [DefaultMaxReceive].
	MaxReceive int
	// MaxSend bounds a message, in bytes; 0 is no bound. A larger one fails
	// with ResourceExhausted and is not [NotSent]: it would never be.
	MaxSend int
	// Dial connects to an address of package net; nil is a [net.Dialer]. It
	// ends soon after its context does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// DefaultMaxReceive is the largest answer accepted when nothing else is said
//
const DefaultMaxReceive = 4 << 20

// How connections are made and kept, whoever makes them.
const (
	// MinBackoff is the pause after the first failed attempt to connect. Each
	// further one is BackoffFactor times as long, give or take BackoffJitter of
	// it, up to MaxBackoff, so that a server that comes up is used at once.
	MinBackoff    = 50 * time.Millisecond
	MaxBackoff    = time.Second
	BackoffFactor = 1.6
	BackoffJitter = 0.2
	// ConnectTimeout bounds one attempt.
	ConnectTimeout = 5 * time.Second
	// KeepaliveTime is how long a server with calls under way may be silent
	// before it is pinged. Servers punish pings that come more often than every
	// five minutes. KeepaliveTimeout is how long it has to answer, and does the
	// work: it is also the kernel's limit for data that the other side does not
	// acknowledge.
	KeepaliveTime    = 6 * time.Minute
	KeepaliveTimeout = 10 * time.Second
	// StreamWindow and ConnWindow are how many bytes a server may send ahead
	// of its reader, in one answer and in all.
	StreamWindow = 1 << 20
	ConnWindow   = 16 << 20
)

// Address takes a target that is one address apart into a network and an address
// of package net.
func Address(target string) (network, address string, err error) {
	if path, ok := cutScheme(target, "unix:"); ok {
		return "unix", path, nil
	}
	if name, ok := strings.CutPrefix(target, "unix-abstract:"); ok && name != "" {
		return "unix", "@" + name, nil
	}
	address, plain := strings.TrimPrefix(target, "tcp://"), true
	if rest, ok := strings.CutPrefix(target, "passthrough:"); ok {
		address, plain = strings.TrimLeft(rest, "/"), false
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" || plain && host == "" || strings.Contains(address, "/") {
		return "", "", fmt.Errorf("%q is not a plugin target; write it as host:port, tcp://host:port, dns:///name:port, unix:///path or passthrough:///address", target)
	}
	return "tcp", address, nil
}

// cutScheme takes a scheme off what is more than slashes.
func cutScheme(target, scheme string) (string, bool) {
	rest, ok := strings.CutPrefix(target, scheme)
	if !ok || strings.Trim(rest, "/") == "" {
		return "", false
	}
	return strings.TrimPrefix(rest, "//"), true
}
