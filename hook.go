package grapnel

import (
	"errors"
	"fmt"
	"strconv"
)

// A Hook is one configured question to a plugin server: when it is asked, and
// what happens when there is no answer.
type Hook struct {
	// Plugin names the plugin server that is asked.
	Plugin string `yaml:"plugin"`
	// Name says which of the server's functions is meant. An auth hook may
	// go without one [B-30].
	Name string `yaml:"hook"`
	// Timeout bounds the call, 0 is none. Without one, the plugin server's
	// holds.
	Timeout Duration `yaml:"timeout"`
	// RawBodyOnly leaves the text copy of the body out of the message
	// [B-14].
	RawBodyOnly bool `yaml:"raw_body_only"`
	// Facts lists what the plugin is told beside what the original tells:
	// client, tls, certificate, route, claims, graphql, form. They are in the
	// Object's facts, which older plugins do not see [L-29].
	Facts []Fact `yaml:"facts"`
	// WriteBack keeps what the plugin changes in the session's metadata, for
	// the exchange and in the store; hooks before authentication cannot
	// [L-21].
	WriteBack bool `yaml:"write_back"`
	// Send says what the plugin is sent.
	Send Send `yaml:"send"`
	// May says what the plugin may change; without it, everything that a hook
	// of its stage can.
	May *May `yaml:"may"`
	// MayOverride lets a Response hook answer in the reply's place, by the
	// request's return_overrides, which the original ignores there [L-26].
	// The log is told of the first answer of a hook that may not.
	MayOverride bool `yaml:"may_override"`
	// On says which replies a Response hook is asked about: upstream, gateway
	// (errors, and answers of hooks before the upstream) or both. Without it,
	// those of the upstream.
	On []Origin `yaml:"on"`
	// Stream passes the body through the plugin in pieces, of whatever size it
	// is, for Post and Response hooks of servers that implement
	// coprocess.BodyStream.
	Stream bool `yaml:"stream"`
	// Condition says for which exchanges the hook is called.
	Condition `yaml:",inline"`
	// Failure says what happens when the plugin fails.
	Failure `yaml:",inline"`
	// Stage is where the hook runs; its place in the configuration says so.
	Stage Stage `yaml:"-"`
}

// SetDefaults makes the hook use its plugin server's timeout.
func (h *Hook) SetDefaults() { h.Timeout = Inherit }

// A Fact names one kind of facts that a plugin can be told.
type Fact string

// The facts that there are; proto/grapnel_facts.proto says what they hold.
const (
	FactClient      Fact = "client"      // where the request comes from
	FactTLS         Fact = "tls"         // how its connection is protected
	FactCertificate Fact = "certificate" // of the client
	FactRoute       Fact = "route"       // which API took it, and where it goes
	FactClaims      Fact = "claims"      // of the token that the caller was let in with
	FactGraphQL     Fact = "graphql"     // what a GraphQL request asks for
	FactForm        Fact = "form"        // the fields of a form in the body
)

// Facts lists the facts that there are.
func Facts() []Fact {
	return []Fact{FactClient, FactTLS, FactCertificate, FactRoute, FactClaims, FactGraphQL, FactForm}
}

// A Condition says for which exchanges a hook is called; all that is given must
// hold. Auth hooks have none: who skips one is let in.
type Condition struct {
	// When is a CEL expression over request (method, path, host, headers and
	// query with the first value of each name, size), session (key, alias,
	// org, metadata, policies, tags), client.address, api (id, name, org)
	// and, in Response hooks, response (status, headers). The hook is called
	// when it is true, and when it fails.
	When string `yaml:"when"`
	// Paths are patterns of the request's path after the listen path, with *
	// for a part of a segment and ** for any number of segments. None means all.
	Paths []string `yaml:"paths"`
	// Methods are the request methods; none means all.
	Methods []string `yaml:"methods"`
	// Sample is the share of the callers, chosen by a stable hash of their
	// session's key, or else their address; without one, all.
	Sample *Percent `yaml:"sample"`
}

// A Failure says what happens when a plugin gives no answer, or one that does
// not count.
type Failure struct {
	// OnError are the steps that are tried in order, within the timeout of
	// the hook: retry, {plugin: NAME}, {cached: 5m}, and at the end deny,
	// {deny: 503} or ignore. Without any, the exchange is denied. A plugin that
	// refuses has answered: no step is taken. A server that another one follows
	// has half of the time that is left. Without idempotent, retry sends again
	// only what no server can have executed. Auth hooks alone have cached: the
	// session that the plugin last gave to the same credential, which is what
	// the id_extractor finds, or else the Authorization header. deny is 403 for
	// auth hooks and 500 for others, unless it says otherwise, or 503 with
	// Retry-After where limits or the breaker forbade the call.
	OnError []Step `yaml:"on_error"`
	// Idempotent says that asking twice does no harm, so that a call that may
	// have been executed can be tried again. With retry, another replica is then
	// asked beside one that has not answered in half of the time, and the first
	// answer counts.
	Idempotent bool `yaml:"idempotent"`
	// Optional hooks are skipped when less than a quarter is left of the API's
	// plugins_budget. Auth hooks cannot be.
	Optional bool `yaml:"optional"`
	// FailOpen lets an auth hook end with ignore: while its plugin is down,
	// everyone is let in, as whom a method before it found, or else as nobody,
	// who has no limits.
	FailOpen bool `yaml:"let_anyone_in_while_the_plugin_is_down"`
}

// A StepKind says what one step after a failure does.
type StepKind string

// The steps of a ladder. The last two end it.
const (
	// StepRetry asks the same server once more, another endpoint where there is
	// one.
	StepRetry StepKind = "retry"
	// StepPlugin asks another plugin server.
	StepPlugin StepKind = "plugin"
	// StepCached takes the last good decision about the same credential, if it
	// was not refused since: for auth hooks whose answer depends on nothing
	// else. The credential is what the id_extractor finds, or else the
	// Authorization header.
	StepCached StepKind = "cached"
	// StepDeny refuses the exchange.
	StepDeny StepKind = "deny"
	// StepIgnore goes on as if the hook were not there.
	StepIgnore StepKind = "ignore"
)

// A Step is one step after a failure. In configuration it is a word, or a
// mapping of that word to what it needs: retry, {plugin: backup}, {cached: 5m},
// deny, {deny: 503}, ignore.
type Step struct {
	Kind   StepKind
	Plugin string   // StepPlugin: who is asked instead
	MaxAge Duration // StepCached: how old the decision may be
	Status int      // StepDeny: the reply's status; 0 is the stage's own
}

// UnmarshalText reads a step that is a word.
func (s *Step) UnmarshalText(b []byte) error {
	switch kind := StepKind(b); kind {
	case StepRetry, StepDeny, StepIgnore:
		*s = Step{Kind: kind}
		return nil
	case StepPlugin:
		return errors.New("plugin needs a name; write it as {plugin: backup}")
	case StepCached:
		return errors.New("cached needs an age; write it as {cached: 5m}")
	}
	return fmt.Errorf("%q is not a step; there are retry, {plugin: NAME}, {cached: 5m}, deny, {deny: 503} and ignore", b)
}

// UnmarshalPair reads a step that is a word and what it needs.
func (s *Step) UnmarshalPair(word, needs string) error {
	*s = Step{Kind: StepKind(word)}
	switch s.Kind {
	case StepPlugin:
		s.Plugin = needs
		return nil
	case StepCached:
		return s.MaxAge.UnmarshalText([]byte(needs))
	case StepDeny:
		status, err := strconv.Atoi(needs)
		if s.Status = status; err != nil || status < 400 || status > 599 {
			return fmt.Errorf("%q is not the status of an error: 400 to 599", needs)
		}
		return nil
	case StepRetry, StepIgnore:
		return fmt.Errorf("%s stands alone", word)
	}
	return s.UnmarshalText([]byte(word))
}

// Hooks are the hooks of one API, by stage and in the order in which they run.
// Those of the auth stage stand in the API's auth list.
type Hooks struct {
	Pre         []Hook `yaml:"pre"`           // before authentication
	PostKeyAuth []Hook `yaml:"post_key_auth"` // right after it, on APIs that have any
	Post        []Hook `yaml:"post"`          // before the request goes upstream
	Response    []Hook `yaml:"response"`      // on the upstream's reply
}
