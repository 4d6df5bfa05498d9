package limit

import (
	"net/http"
	"strconv"

	"github.com/grapnel-gateway/grapnel"
)

// Size refuses requests whose announced length is over what the version allows,
// for all paths and for the first of the single ones that selects the request.
// A request that announces nothing is refused too; methods without a body are
// not asked. It stands after the Pre hooks [7.5, M-6, T-177].
func Size(api *grapnel.API) grapnel.Middleware {
	if !api.Versioning.Any(func(v *grapnel.Version) bool { return v.MaxSize > 0 || len(v.Sizes) > 0 }) {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if x.Version != nil && mayHaveBody(x.Request.Method) {
				if err := checkSizes(x); err != nil {
					return nil, err
				}
			}
			return next(x)
		}
	}
}

func mayHaveBody(method string) bool {
	switch method {
	case http.MethodGet, http.MethodDelete, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return false
	}
	return true
}

func checkSizes(x *grapnel.Exchange) error {
	if x.Version.MaxSize > 0 {
		if err := checkSize(x.Request, x.Version.MaxSize); err != nil {
			return err
		}
	}
	for _, r := range x.Version.Sizes {
		if r.Selects(x) {
			return checkSize(x.Request, r.Max)
		}
	}
	return nil
}

// checkSize goes by the header, which is what the client announced, and by the
// length of a body that a hook has put in place of the client's.
func checkSize(r *http.Request, limit int64) error {
	announced := r.Header.Get("Content-Length")
	if announced == "" {
		return refusal(http.StatusLengthRequired, "Content length is required for this request")
	}
	size, err := strconv.ParseInt(announced, 10, 64)
	if err != nil {
		return refusal(http.StatusBadRequest, "content length is not a valid Integer")
	}
	if max(size, r.ContentLength) > limit {
		return refusal(http.StatusBadRequest, "Request is too large")
	}
	return nil
}

func refusal(status int, message string) error {
	return &grapnel.Error{Status: status, Code: grapnel.CodeBadRequest, Message: message}
}
