package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOAuthChecks: an authorization server gives tokens, and does not leave them
// about.
func TestOAuthChecks(t *testing.T) {
	const at = "g.yaml:2: apis[0].auth[0]"
	for entry, want := range map[string]string{
		`{oauth: {header: ""}}`:                                  ".oauth.header: must not be empty",
		`{oauth: {grants: []}}`:                                  ".oauth.grants: missing; no client could get a token",
		`{oauth: {grants: [password]}}`:                          `.oauth.grants[0]: "password" is not one of client_credentials, authorization_code, refresh_token`,
		`{oauth: {grants: [client_credentials, refresh_token]}}`: ".oauth.grants: refresh_token has no effect without authorization_code",
		`{oauth: {login: "ftp://x"}}`:                            `.oauth.login: the scheme "ftp" is not one of http, https`,
		`{oauth: {access_lifetime: 0}}`:                          ".oauth.access_lifetime: must be more than 0",
		`{oauth: {refresh_lifetime: 0}}`:                         ".oauth.refresh_lifetime: must be more than 0",
		`{oauth: {}, token: {}}`:                                 ": is token and oauth at once; each entry of the list is one method",
		`{introspection: {}}`:                                    ".introspection.url: missing; it is where the authorization server answers questions about tokens",
		`{introspection: {url: "ftp://x"}}`:                      `.introspection.url: the scheme "ftp" is not one of http, https`,
		`{introspection: {url: "http://x", client_secret: s}}`:   ".introspection.client_id: missing; a secret without it is of no use",
		`{introspection: {url: "http://x", timeout: 0}}`:         ".introspection.timeout: must be more than 0",
		`{introspection: {url: "http://x", cache: -1s}}`:         `.introspection.cache: "-1s" is negative`,
		`{introspection: {url: "http://x", header: ""}}`:         ".introspection.header: must not be empty where there is neither param nor cookie",
	} {
		if diff := cmp.Diff(at+want, failure(t, withAuth+entry+"]}]")); diff != "" {
			t.Errorf("%s:\n%s", entry, diff)
		}
	}
	if diff := cmp.Diff("g.yaml:2: apis[0].auth[1].oauth: an API has one authorization server", failure(t, withAuth+"{oauth: {}}, {oauth: {}}]}]")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("g.yaml:3: apis[0].auth[0].oauth: needs keys.hash: access tokens must not be stored as they are", failure(t, "keys: { hash: false }\n"+withAuth+"{oauth: {}}]}]")); diff != "" {
		t.Error(diff)
	}
}
