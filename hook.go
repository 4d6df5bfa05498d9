package grapnel

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
	// Condition says for which exchanges the hook is called.
	Condition `yaml:",inline"`
	// Failure says what happens when the plugin fails.
	Failure `yaml:",inline"`
	// Stage is where the hook runs; its place in the configuration says so.
	Stage Stage `yaml:"-"`
}

// SetDefaults makes the hook use its plugin server's timeout.
func (h *Hook) SetDefaults() { h.Timeout = Inherit }

// A Condition says for which exchanges a hook is called; all that is given must
// hold. A call that is not made is the fastest one.
type Condition struct {
	// When is a CEL expression over request, session, client, api and, in
	// Response hooks, response.
	When string `yaml:"when"`
	// Paths are patterns of the request's path after the listen path, with *
	// for a part of a segment and ** for any number of segments. None means all.
	Paths []string `yaml:"paths"`
	// Methods are the request methods; none means all.
	Methods []string `yaml:"methods"`
	// Sample is the share of exchanges, chosen by a stable hash of who calls;
	// without one, all.
	Sample Percent `yaml:"sample"`
}

// A Failure says what happens when a plugin gives no answer, or one that does
// not count.
type Failure struct {
	// OnError are the steps that are tried in order. Without any, the
	// exchange is denied.
	OnError []Step `yaml:"on_error"`
	// Idempotent says that asking twice does no harm, so that a call that may
	// have been executed can be tried again.
	Idempotent bool `yaml:"idempotent"`
	// Optional hooks are skipped when little is left of the API's
	// plugins_budget. Auth hooks cannot be.
	Optional bool `yaml:"optional"`
	// FailOpen lets an auth hook end with ignore: while its plugin is down,
	// everyone is let in.
	FailOpen bool `yaml:"let_anyone_in_while_the_plugin_is_down"`
}

// A StepKind says what one step after a failure does.
type StepKind string

// The steps of a ladder. The last two end it.
const (
	// StepRetry asks once more, another endpoint where there is one.
	StepRetry StepKind = "retry"
	// StepPlugin asks another plugin server.
	StepPlugin StepKind = "plugin"
	// StepCached takes the last good decision about the same credential.
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

// Hooks are the hooks of one API, by stage and in the order in which they run.
// Those of the auth stage stand in the API's auth list.
type Hooks struct {
	Pre         []Hook `yaml:"pre"`           // before authentication
	PostKeyAuth []Hook `yaml:"post_key_auth"` // right after it, on APIs that have any
	Post        []Hook `yaml:"post"`          // before the request goes upstream
	Response    []Hook `yaml:"response"`      // on the upstream's reply
}
