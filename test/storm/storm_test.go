package storm

import (
	"syscall"
	"testing"
	"time"
)

// An event is what happens to a fleet of three, of which the first is reached by a
// link of its own where that matters.
type event struct {
	name   string
	linked bool // the first replica is reached by the link
	secure bool // connections are secured
	loses  bool // calls that the first replica had in hand may fail where they must not be sent again
	happen func(*testing.T, *fleet)
}

var events = []event{
	{name: "one is killed (kill -9) and started again", loses: true, happen: func(t *testing.T, f *fleet) {
		f.replicas[0].Kill()
		f.pass(t, *pause)
		f.replicas[0].start(t)
	}},
	{name: "one is stopped (SIGSTOP) and goes on", loses: true, happen: func(t *testing.T, f *fleet) {
		f.replicas[0].Signal(t, syscall.SIGSTOP)
		f.pass(t, f.hang)
		f.replicas[0].Signal(t, syscall.SIGCONT)
	}},
	{name: "all are restarted (SIGTERM), one after the other", happen: func(t *testing.T, f *fleet) {
		for _, r := range f.replicas {
			r.restart(t)
			f.pass(t, *pause)
		}
	}},
	{name: "the link to one loses all packets", linked: true, loses: true, happen: func(t *testing.T, f *fleet) {
		f.link.stall(true)
		f.pass(t, f.hang)
		f.link.stall(false)
	}},
	{name: "the link to one delays by 50 ms each way", linked: true, happen: func(t *testing.T, f *fleet) {
		f.link.slow(50 * time.Millisecond)
		f.pass(t, 2**pause)
		f.link.slow(0)
	}},
	{name: "the link to one resets connections", linked: true, loses: true, happen: func(t *testing.T, f *fleet) {
		for range 10 {
			f.link.reset()
			f.pass(t, *pause/5)
		}
	}},
	{name: "authority and certificates are replaced", secure: true, happen: func(t *testing.T, f *fleet) {
		next := newAuthority(t, "next")
		f.secret.trust(t, "servers", f.authority, next)
		f.secret.trust(t, "clients", f.authority, next)
		f.secret.issue(t, "server", next)
		f.roll(t)
		f.secret.issue(t, "client", next)
		f.secret.trust(t, "clients", next)
		f.roll(t)
		f.secret.trust(t, "servers", next)
	}},
	{name: "all move to other addresses, and a reload", happen: func(t *testing.T, f *fleet) {
		old := f.replicas
		f.replicas = nil
		for range old {
			f.replicas = append(f.replicas, startReplica(t))
		}
		f.server["targets"] = f.targets()
		f.reload(t)
		for _, r := range old {
			r.Signal(t, syscall.SIGTERM)
			r.Wait()
		}
	}},
}

// A fleet is a site under load with three replicas of one plugin server and two
// APIs that ask it: "safe" may be asked again after a failure, "plain" may not.
type fleet struct {
	*site
	*load
	link      *link
	authority *authority
	secret    secret
	server    object // its configuration
	hang      time.Duration
}

func newFleet(t *testing.T, e event) *fleet {
	t.Helper()
	f := &fleet{hang: 5 * time.Second}
	f.server = object{"timeout": "1s"}
	if *report == "" { // long enough for a machine that is busy
		f.hang = 3 * time.Second
		f.server = object{"timeout": "4s", "health": object{"interval": "200ms", "eject": "300ms"}}
	}
	f.server["limits"] = object{"in_flight": 2000} // more than there will be; limits are another test's matter
	var flags []string
	if e.secure {
		f.authority = newAuthority(t, "first")
		f.secret = newSecret(t, f.authority)
		flags, f.server["tls"] = f.secret.flags(), f.secret.settings()
	}
	var replicas []*replica
	for range 3 {
		replicas = append(replicas, startReplica(t, flags...))
	}
	if e.linked {
		f.link = newLink(t, replicas[0].addr)
	}
	f.site = &site{replicas: replicas}
	f.server["targets"] = f.targets()
	hook := object{"plugin": "fleet", "hook": "sleep 5ms;" + mark} // so that there is something in hand
	f.site = newSite(t, object{"fleet": f.server},
		api("safe", with(hook, object{"idempotent": true, "on_error": []string{"retry", "deny"}})), api("plain", hook))
	f.replicas = replicas
	f.load = f.site.load(*rate, "safe", "plain")
	return f
}

// targets are where the gateway finds the replicas.
func (f *fleet) targets() (all []string) {
	for _, r := range f.replicas {
		all = append(all, r.addr)
	}
	if f.link != nil {
		all[0] = f.link.addr()
	}
	return all
}

// roll restarts one after the other, when the one before it is used again.
func (f *fleet) roll(t *testing.T) {
	t.Helper()
	for _, r := range f.replicas {
		r.restart(t)
		f.used(t, r.addr)
	}
}

// TestStorm: whatever happens to one replica after the other, no call fails that
// may be sent again; of the others at most those that a lost replica had in hand.
// Nothing ever reaches the upstream without the plugin's word.
func TestStorm(t *testing.T) {
	for _, e := range events {
		for tries := 5; ; tries-- {
			spoilt := false
			t.Run(e.name, func(t *testing.T) {
				if spoilt = e.try(t); spoilt && tries == 1 {
					t.Error("the machine was busy with other things each time")
				}
			})
			if !spoilt || tries == 1 {
				break
			}
		}
	}
}

// try has the event happen once. It reports whether that says nothing, because for
// a report the machine had too much else to do.
func (e event) try(t *testing.T) (spoilt bool) {
	if *report != "" {
		quiet(t)
	}
	f := newFleet(t, e)
	f.pass(t, *pause)
	begin, clock := f.now(), readClock(t)
	e.happen(t, f)
	end := f.now()
	for _, addr := range f.targets() {
		f.used(t, addr)
	}
	f.pass(t, 6**pause-(f.now()-begin))
	lost, busy := f.standing(t, f.targets()[0]).Failures, clock.share(t)
	all := f.end()
	if *report != "" && busy > laden {
		t.Logf("the processors were busy for %.0f %% of the time", 100*busy)
		return true
	}
	f.judge(t, e, all, lost)
	figures := figuresOf(all, begin, end)
	figures.busy = busy
	record(t, e.name, figures)
	return false
}

// judge holds the answers against what may fail.
func (f *fleet) judge(t *testing.T, e event, all []answer, lost uint64) {
	t.Helper()
	if failed := bad(all, "safe"); len(failed) > 0 {
		t.Errorf("%d of %d requests failed, the first with %+v", len(failed), len(all), failed[0])
	}
	failed := bad(all, "plain")
	for _, a := range failed {
		if !e.loses || a.bad != middlewareError {
			t.Errorf("%d requests that are not sent again failed; one with %+v", len(failed), a)
			break
		}
	}
	if e.loses && len(failed) > int(lost) {
		t.Errorf("%d requests that are not sent again failed, and the lost replica had only %d in hand", len(failed), lost)
	}
	if n := f.unmarked.Load(); n > 0 {
		t.Errorf("%d requests reached the upstream without the plugin's mark", n)
	}
}

// middlewareError is what a client gets whose request could not be put to a plugin.
const middlewareError = "500 {\n    \"error\": \"Middleware error\"\n}"
