// Package limit refuses what is too much or not allowed: bodies over the API's
// size, requests over the announced size of an endpoint, and addresses that are
// not served. It also tells clients what is left of their quota.
//
// Every constructor returns a middleware, or nil when the API does not need it.
package limit

import (
	"io"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// Body refuses request bodies of more than the API's MaxBody bytes with 413: at
// once when the client announces more, else as soon as more has been read,
// whether a hook buffers the body or the upstream is sent it as it comes.
func Body(api *grapnel.API) grapnel.Middleware {
	limit := int64(api.MaxBody)
	if limit <= 0 {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			r := x.Request
			switch {
			case r.ContentLength > limit:
				return nil, tooLarge()
			case r.ContentLength < 0 && r.Body != nil:
				// The HTTP server holds the others to their announcement.
				r.Body = &bounded{r.Body, limit}
			}
			return next(x)
		}
	}
}

func tooLarge() error {
	const status = http.StatusRequestEntityTooLarge
	return &grapnel.Error{Status: status, Code: grapnel.CodeBodyTooLarge, Message: http.StatusText(status)}
}

// A bounded body fails with a 413 when there is more of it than allowed.
type bounded struct {
	io.ReadCloser
	left int64
}

// Read reads at most one byte more than is left, to see whether there is more.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, tooLarge()
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, tooLarge()
	}
	return n, err
}
