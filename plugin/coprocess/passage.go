package coprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"

	"golang.org/x/net/http/httpguts"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// pieceSize is the most that a plugin is sent at once of a body that passes through
// it. Besides it, the windows of the stream bound what is in memory.
const pieceSize = 64 << 10

// A passage is a body on its way through a plugin. Who reads it gets what the
// plugin made of the source, and receives that himself; from the first read on,
// another goroutine reads the source and sends. Nobody runs ahead: neither side
// reads more than the other one takes.
type passage struct {
	*scope
	stream rpc.Stream
	cancel context.CancelFunc // gives it up; the end of the exchange does that too
	client context.Context    // of the exchange
	watch  watch

	src     io.ReadCloser
	closes  bool               // the source is closed with the passage
	trailer func() http.Header // the source's, known once it was read
	leave   func(http.Header)  // is given the trailer that the plugin made of it

	begin   sync.Once
	drained chan struct{} // closed when the source was read to its end
	pumped  chan struct{} // closed when the source is not read any more
	failed  error         // why it could not be read; set before pumped is closed

	answer mem.Buffer // the message that rest lies in; nil is none
	rest   []byte     // what is not read of it
	last   *chunk     // the one with the end; nil until that has come
	err    error      // what the passage came to
}

// Read implements [io.Reader].
func (p *passage) Read(b []byte) (int, error) {
	p.begin.Do(func() { go p.pump() })
	for len(p.rest) == 0 && p.err == nil {
		p.err = p.next()
	}
	if len(p.rest) == 0 {
		return 0, p.err
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// Close implements [io.Closer].
func (p *passage) Close() error {
	p.cancel()
	p.begin.Do(func() { close(p.pumped) })
	if p.closes {
		return p.src.Close()
	}
	return nil
}

// pump sends the source to the plugin.
func (p *passage) pump() {
	err := p.drain()
	if err != nil {
		p.failed = err
	}
	close(p.pumped)
	if err != nil {
		p.cancel()
	}
}

// drain sends all of the source, unless the plugin ends the stream before, and
// returns why the source could not be read.
func (p *passage) drain() error {
	pool := mem.DefaultBufferPool()
	for {
		piece := pool.Get(pieceSize)
		p.watch.feeds(true)
		n, err := p.src.Read(*piece)
		p.watch.feeds(false)
		*piece = (*piece)[:n]
		data := mem.NewBuffer(piece, pool)
		begin := protowire.AppendVarint(protowire.AppendTag(nil, chunkData, protowire.BytesType), uint64(n))
		var ended error
		if n > 0 {
			ended = p.stream.Send(mem.BufferSlice{mem.SliceBuffer(begin), data})
		}
		data.Free()
		switch {
		case err == io.EOF && ended == nil:
			p.sendEnd()
			return nil
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case ended != nil:
			return nil
		}
	}
}

func (p *passage) sendEnd() {
	close(p.drained)
	var m message
	m.bool(chunkEnd, true)
	p.writeTrailers(&m, chunkTrailers, p.trailer(), grapnel.Share{})
	if p.stream.Send(mem.BufferSlice{mem.SliceBuffer(m.buf)}) == nil {
		p.stream.CloseSend()
	}
}

// next receives the next message. It returns io.EOF when the plugin has ended the
// body.
func (p *passage) next() error {
	if p.answer != nil {
		p.answer.Free()
		p.answer = nil
	}
	if p.last != nil {
		return p.end()
	}
	p.watch.wants(true)
	data, err := p.stream.Receive()
	p.watch.wants(false)
	if err != nil {
		return p.broken(err)
	}
	p.answer = data
	c, err := readChunk(data.ReadOnlyData())
	switch {
	case err != nil:
		return p.broken(err)
	case c.hasObject:
		return p.broken(errors.New("object: stands in the first message of a stream only"))
	case c.end:
		p.last = &c
	}
	p.rest = c.data
	return nil
}

// end ends the body as the plugin did, which may not have wanted all of the source.
func (p *passage) end() error {
	trailer := http.Header{}
	select {
	case <-p.drained:
		for name, values := range p.trailer() {
			if !p.sees(name) {
				trailer[name] = values
			}
		}
	default:
		p.Close()
		if p.closes {
			<-p.pumped // who reads the source writes its trailer
		}
	}
	returned := under(nil, p.last.trailers, http.CanonicalHeaderKey)
	if err := checkLines("trailers", nil, returned); err != nil {
		return p.broken(err)
	}
	for _, l := range returned {
		if !httpguts.ValidTrailerHeader(l.name) {
			return p.broken(fmt.Errorf("trailers[%.64q]: not the name of a trailer", l.name))
		}
		trailer[l.name] = l.values
	}
	p.leave(trailer)
	return io.EOF
}

// broken gives the passage up, and says whose fault it is: the source's, the
// client's, or the plugin's.
func (p *passage) broken(err error) error {
	select {
	case <-p.pumped:
		if p.failed != nil {
			return p.failed
		}
	default:
	}
	p.cancel()
	switch {
	case p.client.Err() != nil:
		return p.client.Err()
	case p.watch.expired():
		err = fmt.Errorf("the body has waited for the plugin for %v", p.watch.limit)
	case errors.Is(err, io.EOF):
		err = errors.New("the plugin ended the stream before the body")
	}
	return &grapnel.Error{
		Status: http.StatusInternalServerError, Code: grapnel.CodePluginFailed, Message: "Middleware error",
		Err: fmt.Errorf("streaming the body: %w", err),
	}
}

// A chunk is a message that a plugin sent. Its parts lie in what was received.
type chunk struct {
	object    []byte
	hasObject bool
	data      []byte
	end       bool
	trailers  []*line
}

func readChunk(b []byte) (c chunk, err error) {
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.num == chunkEnd && f.typ == protowire.VarintType:
			c.end = f.value != 0
		case f.typ != protowire.BytesType:
		case f.num == chunkObject:
			c.object, c.hasObject = f.bytes, true
		case f.num == chunkData:
			c.data = f.bytes
		case f.num == chunkTrailers:
			err = readLine(&c.trailers, f.bytes)
		}
		if err != nil {
			return chunk{}, err
		}
	}
	return c, f.err
}

// replace makes a trailer what it is to be, in place: it may be shared.
func replace(trailer, by http.Header) {
	clear(trailer)
	maps.Copy(trailer, by)
}
