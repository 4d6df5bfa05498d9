package main

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A target is a row of the table: one gateway in one configuration, which runs
// as a process of its own.
type target struct {
	name    string
	program string // what runs it: grapnel, nginx or haproxy
	api     string // grapnel: what the API has besides its upstream
	asks    bool   // peers: whether the agent is asked about each request
	token   bool   // whether clients show a token
	seed    string // grapnel: the hook whose session is stored under the token beforehand
	store   string // grapnel: where; empty is memory, else file or redis
	metrics bool   // grapnel: whether it serves its figures beside the APIs
	more    int    // grapnel: how many APIs it has besides the one that is measured
	session string // grapnel: the stored form of the session under the token, which its control API stores
	bodies  bool   // grapnel: whether its upstream reads bodies before it answers
	needs   string // another program that has to be there
	// proof is the reply header that shows that the plugin or the agent had
	// its say: X-Seen when the upstream got the header that was set,
	// X-Plugin when the client did. Empty where there is nothing to show.
	proof string
	peer  peer

	// The same without a question, and the shares of what this one served at which
	// the pair is measured at a fixed rate.
	without string
	paced   []float64
}

// A peer is a gateway that runs already, instead of a program.
type peer struct {
	url string
	pid int
}

// parsePeer reads NAME=URL,PID.
func parsePeer(v string) (target, error) {
	name, rest, _ := strings.Cut(v, "=")
	at, id, _ := strings.Cut(rest, ",")
	u, err := url.Parse(at)
	pid, bad := strconv.Atoi(id)
	if err != nil || bad != nil || name == "" || pid < 1 || u.Scheme != "http" || u.Port() == "" {
		return target{}, errors.New("a peer is written NAME=http://HOST:PORT/PATH,PID")
	}
	return target{name: name, peer: peer{at, pid}}, nil
}

const (
	storedToken = "auth: [{ token: {} }]"
	redis       = "redis-server"

	noHook = "grapnel, no hook"
	onePre = "grapnel, one Pre hook"

	benchToken    = "bench" // of the caller in the rows that have one
	controlSecret = "bench-secret"
)

// targets are all rows, in the order of the table.
func targets() []target {
	return []target{
		{name: noHook, program: "grapnel"},
		{name: onePre, program: "grapnel", without: noHook, paced: []float64{0.3, 0.5, paceShare}, proof: "X-Seen",
			api: "hooks: { pre: [{ plugin: bench, hook: Mark }] }"},
		{name: "grapnel, Pre and Post", program: "grapnel", proof: "X-Seen",
			api: "hooks: { pre: [{ plugin: bench, hook: Mark }], post: [{ plugin: bench, hook: Mark }] }"},
		{name: "grapnel, Response hook", program: "grapnel", proof: "X-Plugin",
			api: "hooks: { response: [{ plugin: bench, hook: MarkReply }] }"},
		{name: "grapnel, auth hook", program: "grapnel", token: true,
			api: "auth: [{ plugin: bench, hook: Accept }]"},
		{name: "grapnel, auth hook with extractor", program: "grapnel", token: true,
			api: "auth: [{ plugin: bench, hook: AcceptForLong, id_extractor: { extract_from: header, extract_with: value, header: Authorization } }]"},
		{name: "grapnel, stored token", program: "grapnel", token: true, seed: "Accept", api: storedToken},
		{name: "grapnel, stored token, embedded", program: "grapnel", token: true, seed: "Accept", store: "file", api: storedToken},
		{name: "grapnel, stored token, Redis", program: "grapnel", token: true, seed: "Accept", store: "redis", needs: redis, api: storedToken},
		{name: "grapnel, stored token, 100 rights", program: "grapnel", token: true, seed: "AcceptManyRights", store: "file", api: storedToken},
		{name: "grapnel, rate limited, embedded", program: "grapnel", token: true, seed: "AcceptRated", store: "file", api: storedToken},
		{name: "grapnel, rate limited, Redis", program: "grapnel", token: true, seed: "AcceptRated", store: "redis", needs: redis, api: storedToken},
		{name: "nginx", program: "nginx"},
		{name: "nginx, auth_request", program: "nginx", without: "nginx", paced: []float64{paceShare}, asks: true, proof: "X-Seen"},
		{name: "haproxy", program: "haproxy"},
		{name: "haproxy, SPOE", program: "haproxy", without: "haproxy", paced: []float64{paceShare}, asks: true, proof: "X-Seen"},
	}
}

// header is what a target's clients send besides the usual.
func (t target) header() http.Header {
	if t.token {
		return http.Header{"Authorization": {benchToken}}
	}
	return nil
}

// files are the files of conf that a target needs, its main one first.
func (t target) files() []string {
	switch {
	case t.program == "nginx":
		return []string{"nginx.conf"}
	case t.program == "haproxy" && t.asks:
		return []string{"haproxy.cfg", "spoe.cfg"}
	case t.program == "haproxy":
		return []string{"haproxy.cfg"}
	}
	return []string{"grapnel.yaml"}
}
