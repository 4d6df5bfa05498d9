package grapnel

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// Body returns the whole body of the request. The first call reads it, up to
// the API's limit; later ones share what was read. The request's own Body
// stays readable from its beginning. The caller must not change the bytes.
func (x *Exchange) Body() ([]byte, error) {
	switch {
	case x.held:
		return x.body, nil
	case x.gone:
		return nil, errors.New("the request's body has gone on")
	}
	b, err := readAll(x.Request.Body, x.Request.ContentLength)
	if err != nil {
		return nil, err
	}
	x.hold(b)
	return b, nil
}

// Peek returns the beginning of the request's body, of limit bytes at most, and
// whether that is all of it. The request's own Body stays readable from its
// beginning. The caller must not change the bytes.
func (x *Exchange) Peek(limit int64) (begin []byte, whole bool, err error) {
	if !x.held && !x.gone && int64(len(x.body)) <= limit {
		r := x.Request
		b, whole, err := beginning(r.Body, r.ContentLength, limit)
		switch {
		case err != nil:
			return nil, false, err
		case whole:
			x.hold(b)
		default:
			x.body = b
			r.Body = &begunBody{Reader: io.MultiReader(bytes.NewReader(b), r.Body), Closer: r.Body, begin: b}
		}
	}
	if int64(len(x.body)) > limit {
		return x.body[:limit], false, nil
	}
	return x.body, x.held, nil
}

// HeldBody returns the request's body, if all of it is in memory.
func (x *Exchange) HeldBody() (b []byte, held bool) { return x.body, x.held }

// ReleaseBody ends the reading of the request's body, which goes upstream: from
// here on hooks see what was read of it before.
func (x *Exchange) ReleaseBody() { x.gone = true }

// DetachBody leaves the exchange, which is a copy of another one, with what was
// read of the request's body. The rest is for the other one alone.
func (x *Exchange) DetachBody() {
	if x.held {
		x.hold(x.body)
		return
	}
	x.Request.Body, x.gone = http.NoBody, true
}

// StreamBody has the request's body pass through a function, which makes of what
// is read from it what goes on. Its length is then unknown.
func (x *Exchange) StreamBody(through func(io.ReadCloser) io.ReadCloser) {
	r := x.Request
	r.Body = through(r.Body)
	r.ContentLength, r.GetBody = -1, nil
	x.body, x.held = nil, false
}

// SetBody replaces the body of the request; the length that goes upstream is
// that of b, whatever framing the client used.
func (x *Exchange) SetBody(b []byte) { x.hold(b) }

func (x *Exchange) hold(b []byte) {
	x.body, x.held = b, true
	r := x.Request
	r.ContentLength = int64(len(b))
	r.TransferEncoding = nil
	if len(b) == 0 {
		r.Body = http.NoBody
		r.GetBody = func() (io.ReadCloser, error) { return http.NoBody, nil }
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// A begunBody is a body of which the beginning is in memory. It is readable from
// there.
type begunBody struct {
	io.Reader
	io.Closer
	begin []byte
}

// A heldBody is the body of a response that is in memory whole.
type heldBody struct {
	bytes.Reader
	all []byte
}

func hold(b []byte) *heldBody {
	h := &heldBody{all: b}
	h.Reset(b)
	return h
}

// Close implements [io.Closer].
func (*heldBody) Close() error { return nil }

// ReadBody reads the whole body of a response, closes it and puts a readable
// copy in its place; one that is in memory already is only handed out. The
// caller must not change the bytes. A body that ends too early is an error, and
// so is one of more than limit bytes; a limit of 0 is none.
func ReadBody(r *http.Response, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if limit > 0 && r.ContentLength > limit {
		return nil, tooLarge()
	}
	if held, ok := r.Body.(*heldBody); ok {
		return held.all, nil
	}
	src := io.Reader(r.Body)
	if limit > 0 {
		src = io.LimitReader(src, limit+1)
	}
	b, err := readAll(src, r.ContentLength)
	if err != nil {
		return nil, err
	}
	if limit > 0 && int64(len(b)) > limit {
		return nil, tooLarge()
	}
	r.Body.Close() // all of it is here
	r.Body = hold(b)
	return b, nil
}

// PeekBody returns the beginning of a response's body, of limit bytes at most, and
// whether that is all of it. The body stays readable from its beginning. The
// caller must not change the bytes.
func PeekBody(r *http.Response, limit int64) (begin []byte, whole bool, err error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, true, nil
	}
	if held, ok := r.Body.(*heldBody); ok {
		return held.all[:min(limit, int64(len(held.all)))], int64(len(held.all)) <= limit, nil
	}
	if begun, ok := r.Body.(*begunBody); ok && int64(len(begun.begin)) > limit {
		return begun.begin[:limit], false, nil
	}
	b, whole, err := beginning(r.Body, r.ContentLength, limit)
	switch {
	case err != nil:
		return nil, false, err
	case whole:
		r.Body.Close() // all of it is here
		r.Body = hold(b)
		return b, true, nil
	}
	r.Body = &begunBody{Reader: io.MultiReader(bytes.NewReader(b), r.Body), Closer: r.Body, begin: b}
	return b[:limit], false, nil
}

// HeldReply returns the body of a response, if all of it is in memory.
func HeldReply(r *http.Response) (b []byte, held bool) {
	if h, ok := r.Body.(*heldBody); ok {
		return h.all, true
	}
	return nil, r.Body == nil || r.Body == http.NoBody
}

// DetachReply leaves a response, which is a copy of another one, with what was
// read of its body. The rest is for the other one alone.
func DetachReply(r *http.Response) {
	switch b := r.Body.(type) {
	case *heldBody:
		r.Body = hold(b.all)
	case *begunBody:
		r.Body = &begunBody{Reader: bytes.NewReader(b.begin), Closer: http.NoBody, begin: b.begin}
	default:
		r.Body = http.NoBody
	}
}

func tooLarge() error {
	return &Error{Status: http.StatusBadGateway, Code: CodeUpstreamTooLarge, Message: "There was a problem proxying the request"}
}

// SetBody makes b the body of a response, with the Content-Length that goes
// with it.
func SetBody(r *http.Response, b []byte) {
	r.Body = hold(b)
	r.ContentLength = int64(len(b))
	r.TransferEncoding = nil
	r.Header.Set("Content-Length", strconv.Itoa(len(b)))
}

// Reply makes a response of the gateway's own.
func Reply(status int, header http.Header, body []byte) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: hold(body), ContentLength: int64(len(body)),
	}
}

// beginning reads one byte more than the limit, if there are as many, so as to know
// whether there is more.
func beginning(r io.Reader, size, limit int64) (b []byte, whole bool, err error) {
	if r == nil || r == http.NoBody {
		return nil, true, nil
	}
	b, err = readAll(io.LimitReader(r, limit+1), min(size, limit+1))
	return b, int64(len(b)) <= limit, err
}

// readAll reads to the end, with one allocation where the size is announced and
// believable. An end before the announced one is an error, unless there is
// nothing at all: replies to HEAD announce what they do not have.
func readAll(r io.Reader, size int64) ([]byte, error) {
	if r == nil || r == http.NoBody {
		return nil, nil
	}
	const believable = 1 << 20
	if size < 0 || size > believable {
		return io.ReadAll(r)
	}
	b := make([]byte, size)
	n, err := io.ReadFull(r, b)
	switch err {
	case nil: // what the announcement left out
		rest, err := io.ReadAll(r)
		return append(b, rest...), err
	case io.EOF:
		return b[:n], nil
	}
	return nil, err
}
