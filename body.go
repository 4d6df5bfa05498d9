package grapnel

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// Body returns the whole body of the request. The first call reads it, up to
// the API's limit; later ones share what was read. The request's own Body
// stays readable from its beginning. The caller must not change the bytes.
func (x *Exchange) Body() ([]byte, error) {
	if x.held {
		return x.body, nil
	}
	b, err := readAll(x.Request.Body, x.Request.ContentLength)
	if err != nil {
		return nil, err
	}
	x.hold(b)
	return b, nil
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
