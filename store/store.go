// Package store keeps what outlives a request: sessions, counters, the
// documents of the control API, and news between gateways. There are three
// stores behind one contract, which storetest checks: memory, one embedded
// file, and Redis, which several gateways can share.
package store

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// Options are what every store may need to know. The zero value is usable.
type Options struct {
	// Log takes what happens in the background; nil discards it.
	Log *slog.Logger
	// NodeSecret signs the news that are shared with the original's
	// gateways, and is what theirs must be signed with [Z-20].
	NodeSecret string
	// AllowInsecure heeds the original's news when they are not signed, or
	// signed with another secret.
	AllowInsecure bool
}

// Open opens the store that the URL names:
//
//	memory:                               this process, gone with it
//	PATH, file:PATH                       an embedded file (the default)
//	redis://[USER:PASSWORD@]HOST:PORT/DB  one Redis or Valkey
//	rediss://…                            the same over TLS; see ParseRedis
//	redis+sentinel://HOST,HOST/MASTER     the master that the Sentinels name
//	redis+cluster://HOST,HOST             a cluster
//
// A Redis that does not answer is no error here: it may come up later. A file
// that another process has open is.
func Open(url string, o Options) (grapnel.Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	scheme, rest, found := strings.Cut(url, ":")
	switch {
	case url == "":
		return nil, errors.New("store: no store is named; write memory:, a file's path, or redis://HOST:PORT/0")
	case url == "memory:":
		return NewMemory(), nil
	case scheme == "file" && found:
		return openFile(strings.TrimPrefix(rest, "//"), o)
	case strings.Contains(url, "://"):
		r, err := ParseRedis(url)
		if err != nil {
			return nil, err
		}
		return OpenRedis(r, o)
	}
	return openFile(url, o)
}

// unavailable says that the answer is not known, and why.
func unavailable(err error) error { return fmt.Errorf("%w: %w", grapnel.ErrUnavailable, err) }

// errClosed is what a store says after Close.
var errClosed = errors.New("it is closed")
