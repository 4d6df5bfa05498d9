package oauth

import (
	"encoding/json"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// A refusal is an error that the client reads, in the form of RFC 6749 5.2.
type refusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
	status      int
	basic       bool // the client may log in by Basic
}

func refused(code, description string) *refusal {
	return &refusal{Code: code, Description: description, status: http.StatusBadRequest}
}

// Error describes the refusal.
func (e *refusal) Error() string { return e.Code + ": " + e.Description }

func (e *refusal) reply() *http.Response {
	resp := reply(e.status, e)
	if e.basic {
		resp.Header.Set("WWW-Authenticate", `Basic realm="oauth"`)
	}
	return resp
}

// noClient is the one answer to whoever is not the client that they say: it does
// not tell which clients there are.
func noClient() *refusal {
	return &refusal{Code: "invalid_client", Description: "unknown client, or a wrong secret", status: http.StatusUnauthorized, basic: true}
}

// noGrant is the one answer to a code or token that does not count.
func noGrant() *refusal { return refused("invalid_grant", "the code or token does not count") }

// reply is JSON that nobody may keep.
func reply(status int, v any) *http.Response {
	text, err := json.Marshal(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	return grapnel.Reply(status, http.Header{
		"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "Pragma": {"no-cache"},
	}, text)
}

// redirect sends a user's browser elsewhere, with a GET and without the form.
func redirect(to string) *http.Response {
	return grapnel.Reply(http.StatusSeeOther, http.Header{
		"Location": {to}, "Cache-Control": {"no-store"}, "Referrer-Policy": {"no-referrer"},
	}, nil)
}
