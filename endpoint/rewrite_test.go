package endpoint_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/endpoint"
)

// 7.5, B-9, A-12: what a rule makes of a URL; the request's own stays.
func TestRewrite(t *testing.T) {
	for name, c := range map[string]struct {
		match, to, target string
		want              string // empty for no rewrite
	}{
		"groups":              {`/x/(\w+)/(\w+)`, "/my/$2?first=$1", "/app/x/a/b", "/my/b?first=a"},
		"relative target":     {`/x/(\w+)`, "my/$1", "/app/x/a", "/my/a"},
		"whole match":         {`/x/.*`, "/all$0", "/app/x/a", "/all/x/a"},
		"missing group":       {`/x/(\w+)`, "/a$2/b$1", "/app/x/1", "/a/b1"},
		"listen path is seen": {`^/app/x/(.*)`, "/$1", "/app/x/a", "/a"},
		"query is seen":       {`/x/(.*)\?id=(\d+)`, "/$1/$2", "/app/x/a?id=7", "/a/7"},
		"query goes along":    {`/x/(.*)`, "/y/$1", "/app/x/a?b=%20c", "/y/a?b=%20c"},
		"no match":            {`/y/(.*)`, "/$1", "/app/x/a", ""},
		"absolute":            {`/x/(.*)`, "https://other.test:8443/$1", "/app/x/a", "https://other.test:8443/a"},
		"loop":                {`/x/(.*)`, "tyk://self/$1?method=GET", "/app/x/a", "tyk://self/a?method=GET"},
		"loop by name":        {`/x/(.*)`, "tyk://My API (2)/$1", "/app/x/a", "tyk://My-API-2-/a"},
		"unescaped":           {`/x/(caf\pL)`, "/$1", "/app/x/caf%C3%A9", "/caf%C3%A9"},
		"escapes stay":        {`/x/(.*)`, "/y/$1", "/app/x/a%2Fb", "/y/a%2Fb"},
		"metadata":            {`/x/`, "/u?user=$tyk_meta.user", "/app/x/", "/u?user=ann+%26+bob"},
		"metadata URL":        {`/x/(.*)`, "$tyk_meta.home/$1", "/app/x/a", "http://home.test/base/a"},
		"group is no fact":    {`/x/(.*)`, "/$1", "/app/x/$tyk_meta.user", "/$tyk_meta.user"},
		"no host by group":    {`/x/(.*)`, "$1", "/app/x/http://evil.test/a", "/http://evil.test/a"},
		"no host by slashes":  {`/x(/.*)`, "$1", "/app/x//evil.test/a", "/evil.test/a"},
	} {
		t.Run(name, func(t *testing.T) {
			api := oneVersion(&grapnel.Version{Rewrites: []grapnel.RewriteRule{
				{PathRule: path("^/other"), Match: regexp.MustCompile(".*"), To: "/wrong"},
				{PathRule: path("^/x"), Match: regexp.MustCompile(c.match), To: c.to},
				{PathRule: path("^/x"), Match: regexp.MustCompile(".*"), To: "/only-the-first-is-tried"},
			}})
			x := exchange(api, "GET", c.target)
			x.Session = &grapnel.Session{Metadata: map[string]any{"user": "ann & bob", "home": "http://home.test/base"}}
			answered(t, with(api, endpoint.Rewrite(api)), x, http.StatusOK)
			got := ""
			if x.Rewrite != nil {
				got = x.Rewrite.String()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if x.Request.URL.RequestURI() != c.target {
				t.Errorf("the request's URL became %s", x.Request.URL)
			}
		})
	}
}

// A client whose URL makes the target unusable is told so; the request does not
// go upstream as if there were no rule.
func TestRewriteToNoURL(t *testing.T) {
	api := oneVersion(&grapnel.Version{Rewrites: []grapnel.RewriteRule{
		{PathRule: path("^/x"), Match: regexp.MustCompile(`(?s)/x/(é.*)`), To: "/$1"},
	}})
	x := exchange(api, "GET", "/app/x/%C3%A9%0A")
	refused(t, with(api, endpoint.Rewrite(api)), x, http.StatusBadRequest, "Bad Request")
}
