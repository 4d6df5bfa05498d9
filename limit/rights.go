package limit

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// Rights makes the middleware that refuses sessions which may not call the API,
// its version or the URL [S-47, S-48]. A session without access rights may call
// everything [C-12]. It returns nil when the API is open to everyone.
func Rights(api *grapnel.API) grapnel.Middleware {
	if len(api.Auth) == 0 {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			if x.Open {
				return next(x)
			}
			if err := mayCallAPI(x); err != nil {
				return nil, err
			}
			if right, ok := x.Session.AccessRights[x.API.ID]; ok && !mayCallURL(x, right) {
				return nil, disallowed("Access to this resource has been disallowed")
			}
			return next(x)
		}
	}
}

// mayCallAPI refuses a session that has rights, but none for the API or its
// version.
func mayCallAPI(x *grapnel.Exchange) error {
	if len(x.Session.AccessRights) == 0 {
		return nil
	}
	if right, ok := x.Session.AccessRights[x.API.ID]; !ok || !mayCallVersion(x, right) {
		return disallowed("Access to this API has been disallowed")
	}
	return nil
}

// mayCallVersion: versions count only where a request chooses one.
func mayCallVersion(x *grapnel.Exchange, right grapnel.AccessDefinition) bool {
	v := x.API.Versioning
	if v == nil || v.Location == "" || x.Version == nil {
		return true
	}
	return slices.Contains(right.Versions, x.Version.Name)
}

// mayCallURL tries the expressions against the path below the listen path and
// against the whole path. An expression that is not one allows nothing.
func mayCallURL(x *grapnel.Exchange, right grapnel.AccessDefinition) bool {
	if len(right.AllowedURLs) == 0 {
		return true
	}
	for _, spec := range right.AllowedURLs {
		if spec.URL == "" || !slices.Contains(spec.Methods, x.Request.Method) {
			continue
		}
		if regexp.QuoteMeta(spec.URL) == spec.URL { // the usual case costs no expression
			if strings.Contains(x.Request.URL.Path, spec.URL) {
				return true
			}
			continue
		}
		path, err := regexp.Compile(spec.URL)
		if err == nil && (grapnel.PathRule{Path: path}).Selects(x) {
			return true
		}
	}
	return false
}

func disallowed(message string) error {
	return &grapnel.Error{Status: http.StatusForbidden, Code: grapnel.CodeForbidden, Message: message}
}
