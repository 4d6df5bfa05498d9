package endpoint

import (
	"net/http"

	"github.com/rs/cors"

	"github.com/grapnel-gateway/grapnel"
)

// CORS answers every OPTIONS in place of the API, and puts the CORS headers on
// what the API answers to the rest, failures included; headers of the same
// names from the upstream give way [M-4, 7.2]. With passthrough, OPTIONS goes
// straight to upstream, past everything that stands between [M-3].
func CORS(api *grapnel.API, upstream grapnel.Handler) grapnel.Middleware {
	if api.CORS == nil {
		return nil
	}
	passthrough := api.CORS.Passthrough
	rules := cors.New(cors.Options{
		AllowedOrigins:   api.CORS.AllowedOrigins,
		AllowedMethods:   api.CORS.AllowedMethods,
		AllowedHeaders:   api.CORS.AllowedHeaders,
		ExposedHeaders:   api.CORS.ExposedHeaders,
		AllowCredentials: api.CORS.AllowCredentials,
		MaxAge:           api.CORS.MaxAge,
	})
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			options := x.Request.Method == http.MethodOptions
			if options && passthrough {
				return upstream(x)
			}
			// Now, and not when the answer is there: hooks may change the request.
			header := http.Header{}
			rules.HandlerFunc(headerOnly(header), x.Request)
			if options {
				return grapnel.Reply(http.StatusNoContent, header, nil), nil
			}
			res, err := next(x)
			return withHeader(res, err, header)
		}
	}
}

// headerOnly is the part of a reply that the CORS rules write: its header.
type headerOnly http.Header

func (h headerOnly) Header() http.Header       { return http.Header(h) }
func (headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (headerOnly) WriteHeader(int)             {}
