// Package coding takes content codings off bodies and puts them on again: gzip,
// deflate, br and zstd, alone or one over the other [RFC 9110 8.4].
package coding

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// ErrTooLarge says that a body is larger than allowed once it is decoded.
var ErrTooLarge = errors.New("the decoded body is too large")

// maxCodings bounds how many codings may lie over each other: each of them can
// make much of little.
const maxCodings = 4

// Known reports whether a Content-Encoding is some codings that Decode knows.
func Known(header string) bool {
	codings := list(header)
	for _, c := range codings {
		switch c {
		case "gzip", "x-gzip", "deflate", "br", "zstd":
		default:
			return false
		}
	}
	return len(codings) > 0 && len(codings) <= maxCodings
}

// list takes a Content-Encoding apart: the codings in the order in which they
// were put on, in lower case.
func list(header string) (codings []string) {
	for c := range strings.SplitSeq(header, ",") {
		if c = strings.ToLower(strings.TrimSpace(c)); c != "" && c != "identity" {
			codings = append(codings, c)
		}
	}
	return codings
}

// Decode takes known codings off a body. None of the steps makes more than limit
// bytes, or it fails with [ErrTooLarge]; 0 is no limit. An empty body, as of a
// reply to HEAD, stays so.
func Decode(header string, body []byte, limit int64) ([]byte, error) {
	if len(body) == 0 {
		return body, nil
	}
	codings := list(header)
	for i := len(codings) - 1; i >= 0; i-- {
		r, err := reader(codings[i], body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", codings[i], err)
		}
		src := io.Reader(r)
		if limit > 0 {
			src = io.LimitReader(r, limit+1)
		}
		body, err = io.ReadAll(src)
		r.Close() // only gives memory back
		if err != nil {
			return nil, fmt.Errorf("%s: %w", codings[i], err)
		}
		if limit > 0 && int64(len(body)) > limit {
			return nil, ErrTooLarge
		}
	}
	return body, nil
}

// maxWindow bounds what a zstd body may have its decoder keep in memory.
const maxWindow = 8 << 20

func reader(coding string, body []byte) (io.ReadCloser, error) {
	src := bytes.NewReader(body)
	switch coding {
	case "gzip", "x-gzip":
		return gzip.NewReader(src)
	case "deflate":
		// What is meant is zlib's form; some send the bare one.
		if r, err := zlib.NewReader(src); err == nil {
			return r, nil
		}
		return flate.NewReader(bytes.NewReader(body)), nil
	case "br":
		return io.NopCloser(brotli.NewReader(src)), nil
	}
	d, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// Encode puts known codings on a body.
func Encode(header string, body []byte) []byte {
	for _, c := range list(header) {
		var out bytes.Buffer
		w := writer(c, &out)
		w.Write(body) // memory takes everything
		w.Close()
		body = out.Bytes()
	}
	return body
}

func writer(coding string, out io.Writer) io.WriteCloser {
	switch coding {
	case "deflate":
		return zlib.NewWriter(out)
	case "br":
		return brotli.NewWriterLevel(out, 5) // the size of gzip, in its time
	case "zstd":
		w, _ := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1)) // fails with wrong options only
		return w
	}
	return gzip.NewWriter(out)
}
