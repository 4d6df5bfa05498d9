package coprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// pieceSize is the most that a plugin is sent at once of a body that passes through
// it. Besides it, the window of the stream bounds what is in memory.
const pieceSize = 64 << 10

// A passage is a body on its way through a plugin. What is read of it is what the
// plugin has made of it. One goroutine reads the source and sends; whoever reads
// the passage receives.
type passage struct {
	*scope
	stream rpc.Stream
	life   context.Context // ends with the exchange, or when the passage is given up
	cancel context.CancelFunc
	watch  watch
	after  func() // is called at the end, once; nil is nothing

	src     io.ReadCloser
	was     http.Header   // the source's trailer, known when it was read
	trailer http.Header   // what the plugin made of it
	pumped  chan struct{} // closed when the source is not read any more
	failed  error         // why it could not be read; guarded by pumped
	whole   bool          // it was read and sent to its end; guarded by pumped

	answer mem.Buffer // is being read
	rest   []byte     // of its data
	last   bool       // it has the end
	err    error      // what the passage came to
}

// start has the body pass. Its trailer is in was when it is read; what the plugin
// makes of that goes into trailer.
func (p *passage) start(src io.ReadCloser, was, trailer http.Header) *passage {
	if trailer == nil {
		trailer = http.Header{}
	}
	p.src, p.was, p.trailer = src, was, trailer
	go p.pump()
	return p
}

// pump sends the source to the plugin.
func (p *passage) pump() {
	defer close(p.pumped)
	p.failed = p.send()
	p.whole = p.failed == nil
	if p.failed != nil {
		p.cancel()
	}
}

func (p *passage) send() error {
	for {
		piece := mem.DefaultBufferPool().Get(pieceSize)
		p.watch.feeds(true)
		n, err := p.src.Read(*piece)
		p.watch.feeds(false)
		*piece = (*piece)[:n]
		if n > 0 {
			if err := p.put(piece); err != nil {
				return nil2(err)
			}
		} else {
			mem.DefaultBufferPool().Put(piece)
		}
		switch {
		case err == io.EOF:
			return p.end()
		case err != nil:
			return err
		}
	}
}
