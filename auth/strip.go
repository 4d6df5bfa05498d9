package auth

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// Strip makes the middleware that removes the credential before Post hooks and
// the upstream see the request [T-179]. It returns nil when the API does not ask
// for that.
func Strip(api *grapnel.API) grapnel.Middleware {
	c := api.Credential
	if !c.Strip {
		return nil
	}
	return func(next grapnel.Handler) grapnel.Handler {
		return func(x *grapnel.Exchange) (*http.Response, error) {
			r := x.Request
			r.Header.Del(c.Header)
			if c.Param != "" {
				u := *r.URL
				u.RawQuery = without(u.RawQuery, c.Param)
				r.URL = &u
			}
			if c.Cookie != "" {
				cookies := r.Cookies()
				r.Header.Del("Cookie")
				for _, cookie := range cookies {
					if cookie.Name != c.Cookie {
						r.AddCookie(cookie)
					}
				}
			}
			return next(x)
		}
	}
}

// without removes a parameter from a raw query and leaves all other bytes as
// they are.
func without(query, name string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(query, "&")
	kept := pairs[:0]
	for _, pair := range pairs {
		key, _, _ := strings.Cut(pair, "=")
		if k, err := url.QueryUnescape(key); err == nil && k == name {
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "&")
}
