package oauth

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// codeLifetime is how long a code waits for its client, who has it at once.
const codeLifetime = time.Minute

// A request is what a client asks of a user [RFC 6749 4.1.1].
type request struct {
	by        *client
	redirect  *url.URL // one of the client's
	named     bool     // the client said so
	state     string
	challenge string
}

// challengeForm matches an S256 challenge: 32 bytes in base64url [RFC 7636 4.2].
var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// authorize begins with a user who wants to let a client in, and sends them to
// log in [RFC 6749 4.1]. A request of which it is not certain who sent it goes
// nowhere: the user stays here and reads why. Else the client is told.
func (c call) authorize() (*http.Response, error) {
	q, err := c.request()
	if err != nil {
		return nil, err
	}
	if problem := c.problem(q); problem != nil {
		return redirect(q.back(url.Values{"error": {problem.Code}, "error_description": {problem.Description}})), nil
	}
	if c.settings.Login == nil {
		return nil, &grapnel.Error{Status: http.StatusNotFound, Code: grapnel.CodeNotFound, Message: "The API has no page to log in"}
	}
	login := c.settings.Login.URL
	values := maps.Clone(c.x.Request.Form)
	maps.Copy(values, login.Query()) // the operator's own
	login.RawQuery = values.Encode()
	return redirect(login.String()), nil
}

// authorized is the answer to the login page.
type authorized struct {
	Code string `json:"code"`
	To   string `json:"redirect_to"`
}

// authorizeClient makes a code for the login page, once the user has agreed. The
// page shows the operator's secret, and says with key_rules what the user may
// do.
func (c call) authorizeClient() (*http.Response, error) {
	if err := c.Operator(c.x.Client, c.x.Request.Header.Get("X-Tyk-Authorization")); err != nil {
		return nil, err
	}
	q, err := c.request()
	if err != nil {
		return nil, err
	}
	if problem := c.problem(q); problem != nil {
		return nil, problem
	}
	g := grant{Client: q.by.ID, Redirect: q.redirect.String(), Named: q.named, Challenge: q.challenge}
	if rules := c.x.Request.Form.Get("key_rules"); rules != "" {
		g.Rules = &grapnel.Session{}
		if json.Unmarshal([]byte(rules), g.Rules) != nil {
			return nil, refused("invalid_request", "key_rules are not those of a session")
		}
	}
	h, selector := newGrant(c.api, g)
	code, hash := newTicket(selector)
	h.Code = hash
	if err := c.put(c.context(), h, codeLifetime); err != nil {
		return nil, err
	}
	return reply(http.StatusOK, authorized{Code: code, To: q.back(url.Values{"code": {code}})}), nil
}

// request reads who asks, and where the user is to be sent back to. That must be
// one of the client's URIs, letter by letter: anything less lets codes go to
// someone else [RFC 9700 4.1].
func (c call) request() (*request, error) {
	form := c.x.Request.Form
	by, _, err := c.client(c.context(), c.api, form.Get("client_id"))
	switch {
	case errors.Is(err, grapnel.ErrNotFound):
		return nil, refused("invalid_request", "unknown client_id")
	case err != nil:
		return nil, err
	}
	q := &request{by: by, state: form.Get("state"), challenge: form.Get("code_challenge")}
	uri, known := form.Get("redirect_uri"), by.redirects(c.settings)
	if q.named = uri != ""; !q.named && len(known) == 1 {
		uri = known[0]
	}
	if !slices.Contains(known, uri) {
		return nil, refused("invalid_request", "redirect_uri is not one of the client's")
	}
	q.redirect, err = url.Parse(uri)
	if err != nil {
		return nil, refused("invalid_request", "redirect_uri is not one of the client's")
	}
	return q, nil
}

// problem says why the client may not ask this.
func (c call) problem(q *request) *refusal {
	form := c.x.Request.Form
	method := form.Get("code_challenge_method")
	switch {
	case form.Get("response_type") != "code":
		return refused("unsupported_response_type", "only code is")
	case !c.allows(grapnel.GrantAuthorizationCode):
		return refused("unauthorized_client", "the API gives no codes")
	case q.challenge == "" && method != "":
		return refused("invalid_request", "code_challenge is missing")
	case q.challenge == "" && q.by.Public:
		return refused("invalid_request", "a public client needs a code_challenge")
	case q.challenge != "" && method != "S256":
		return refused("invalid_request", "code_challenge_method must be S256")
	case q.challenge != "" && !challengeForm.MatchString(q.challenge):
		return refused("invalid_request", "code_challenge is not one of S256")
	}
	return nil
}

// back is where the user goes with the answer. What the client's URI has of its
// own stays, and so does the state, by which the client knows its user again.
func (q *request) back(answer url.Values) string {
	to := *q.redirect
	values := to.Query()
	for name, value := range answer {
		values[name] = value
	}
	if q.state != "" {
		values.Set("state", q.state)
	}
	to.RawQuery = values.Encode()
	return to.String()
}
