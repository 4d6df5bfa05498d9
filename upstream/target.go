package upstream

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// url works out where the exchange goes. The scheme and host that a hook may
// have written into the request's URL have no effect; those of an
// absolute rewrite do, and then nothing of the target is used.
func (s *stage) url(x *grapnel.Exchange) (*url.URL, error) {
	from, prefix := x.Request.URL, ""
	if s.api.StripListenPath {
		prefix = x.Prefix
	}
	var u *url.URL
	if x.Rewrite != nil && x.Rewrite.Host != "" {
		absolute := *x.Rewrite
		absolute.User, absolute.Fragment, absolute.RawFragment = nil, "", ""
		u = &absolute
	} else {
		if x.Rewrite != nil {
			from = x.Rewrite
		}
		u = join(s.base(x), from, prefix, s.api.KeepTargetSlash)
	}
	if wireScheme(u.Scheme) == "" {
		return nil, &grapnel.Error{Status: http.StatusInternalServerError, Code: grapnel.CodeUpstreamFailed, Message: "Couldn't detect target"}
	}
	return u, nil
}

// join puts the path of a request, without the prefix, below the path of the
// target, and its query behind the target's [7.3]. What was percent-encoded
// stays encoded as it was.
func join(target, request *url.URL, prefix string, keepSlash bool) *url.URL {
	u := &url.URL{
		Scheme: target.Scheme, Host: target.Host,
		Path:     joinPath(target.Path, strings.TrimPrefix(request.Path, prefix), keepSlash),
		RawQuery: target.RawQuery, ForceQuery: request.ForceQuery,
	}
	if target.RawPath != "" || request.RawPath != "" {
		below := request.EscapedPath()
		if strings.HasPrefix(request.Path, prefix) {
			below = cutEncoded(below, len(prefix))
		}
		u.RawPath = joinPath(target.EscapedPath(), below, keepSlash)
	}
	switch {
	case u.RawQuery == "":
		u.RawQuery = request.RawQuery
	case request.RawQuery != "":
		u.RawQuery += "&" + request.RawQuery
	}
	return u
}

// joinPath joins with exactly one slash. With nothing to join, the slash that
// ends the target's path goes, unless it is to be kept.
func joinPath(target, below string, keepSlash bool) string {
	if below == "" || below == "/" {
		if keepSlash {
			return target
		}
		return strings.TrimRight(target, "/")
	}
	return strings.TrimRight(target, "/") + "/" + strings.TrimPrefix(below, "/")
}

// cutEncoded cuts the beginning that stands for n bytes off an encoded path.
func cutEncoded(path string, n int) string {
	for ; n > 0; n-- {
		if path[0] == '%' {
			path = path[2:]
		}
		path = path[1:]
	}
	return path
}
