package hostile

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

// stages are the five hooks, with the verbs by which each would pass.
var stages = []struct{ stage, verbs string }{
	{"pre", "mortal"}, {"auth", "mortal;auth sesame"}, {"post_key_auth", "mortal"}, {"post", "mortal"}, {"response", "mortal"},
}

// forEver is the timeout of a hook that has none [L-7].
const forEver = "0"

// TestStartsWithoutPlugin: the gateway starts while the plugin server is down,
// answers as documented, and uses the server as soon as it is up; and again
// after it was killed [A-60, T-61…T-64].
func TestStartsWithoutPlugin(t *testing.T) {
	target := socket(t)
	var apis []object
	for _, st := range stages {
		apis = append(apis, at(st.stage, st.stage, "hostile", st.verbs))
	}
	s := newSite(t, target, apis...)
	s.neighbours(t, "neighbour")
	for round := range 2 {
		for _, st := range stages {
			s.checkFailure(t, st.stage, st.stage, "mortal", "(?i)unavailable|connect|EOF", s.must(t, st.stage))
		}
		server := startPlugin(t, target)
		for _, st := range stages {
			eventually(t, fmt.Sprintf("the %s hook works in round %d", st.stage, round), func() bool {
				return s.must(t, st.stage).status == http.StatusOK
			})
			s.upstream.take(st.stage)
		}
		server.Kill()
		if err := os.Remove(strings.TrimPrefix(target, "unix://")); err != nil {
			t.Fatal(err) // a killed server leaves its socket behind
		}
	}
}

// TestNeverThere: a plugin server at an address where nothing listens fails at
// once, not after its timeout.
func TestNeverThere(t *testing.T) {
	var apis []object
	for _, st := range stages {
		apis = append(apis, at(st.stage, st.stage, "hostile", st.verbs))
	}
	s := newSite(t, program.FreeAddr(t), apis...)
	s.neighbours(t, "neighbour")
	for _, st := range stages {
		t.Run(st.stage, func(t *testing.T) {
			s.checkFailure(t, st.stage, st.stage, "mortal", "(?i)unavailable|refused", s.must(t, st.stage))
		})
	}
}

// TestKilledMidCall: when the plugin server is killed, every call under way
// gets the documented answer at once, and a new server is used without a
// restart of the gateway.
func TestKilledMidCall(t *testing.T) {
	const parallel = 20
	for _, st := range stages {
		t.Run(st.stage, func(t *testing.T) {
			t.Parallel()
			target := socket(t)
			server := startPlugin(t, target)
			s := newSite(t, target, bound(at(st.stage, "waits", "hostile", "mortal;hang"), st.stage, forEver))
			s.neighbours(t, "neighbour")
			replies := make(chan error, parallel)
			var all sync.WaitGroup
			for range parallel {
				all.Go(func() {
					r, err := s.ask("waits")
					want := http.StatusInternalServerError
					if st.stage == "auth" {
						want = http.StatusForbidden
					}
					if err == nil && r.status != want {
						err = fmt.Errorf("status %d %s, want %d", r.status, r.body, want)
					}
					replies <- err
				})
			}
			eventually(t, "all calls are under way", func() bool { return len(server.Calls(t, "waits")) == parallel })
			killed := time.Now()
			server.Kill()
			all.Wait()
			if took := time.Since(killed); took > patience/2 {
				t.Errorf("the clients waited %v after the server was gone", took)
			}
			for range parallel {
				if err := <-replies; err != nil {
					t.Errorf("a call under way: %v", err)
				}
			}
			s.AwaitLog(t, `"waits"`, "mortal")
		})
	}
}

// TestKillsItself: a plugin that takes its server down in the middle of a call.
func TestKillsItself(t *testing.T) {
	for _, st := range stages {
		t.Run(st.stage, func(t *testing.T) {
			t.Parallel()
			server := startPlugin(t, "127.0.0.1:0")
			s := newSite(t, server.Target, at(st.stage, "dies", "hostile", "mortal;die"))
			s.neighbours(t, "neighbour")
			s.checkFailure(t, st.stage, "dies", "mortal", "(?i)unavailable|EOF|reset|connection", s.must(t, "dies"))
			server.Wait() // it is gone indeed
		})
	}
}

// TestTimeoutTravels: the plugin learns how long it will be waited for: what
// the hook says, else its server, else the gateway's default [L-7].
func TestTimeoutTravels(t *testing.T) {
	hook := func(plugin, timeout string) object {
		h := object{"plugin": plugin, "hook": "noop"}
		if timeout != "" {
			h["timeout"] = timeout
		}
		return object{"hooks": object{"pre": []object{h}}}
	}
	s := newSite(t, socket(t),
		api("hook", hook("good", "700ms")), api("server", hook("good", "")), api("default", hook("default", "")), api("none", hook("good", "0")))
	for id, want := range map[string]time.Duration{"hook": 700 * time.Millisecond, "server": patience, "default": time.Second, "none": 0} {
		t.Run(id, func(t *testing.T) {
			eventually(t, "a call is answered and had most of its time left when it came", func() bool {
				r, calls := s.must(t, id), s.good.Calls(t, id)
				if len(calls) == 0 {
					return false // its time was over before
				}
				got := calls[len(calls)-1].Timeout
				if got > want {
					t.Fatalf("the plugin was given %v, want up to %v", got, want)
				}
				return r.status == http.StatusOK && got >= want/2
			})
		})
	}
}

// TestClientLeaves: a client that goes away takes the plugin's call with it
// [T-70, A-61].
func TestClientLeaves(t *testing.T) {
	for _, st := range stages {
		t.Run(st.stage, func(t *testing.T) {
			t.Parallel()
			server := startPlugin(t, "127.0.0.1:0")
			s := newSite(t, server.Target, bound(at(st.stage, "waits", "hostile", "mortal;hang"), st.stage, forEver))
			conn, err := net.Dial("tcp", s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn, "POST /waits/x HTTP/1.1\r\nHost: a\r\nAuthorization: sesame\r\n%s: waits\r\nContent-Length: 2\r\n\r\nhi", plugintest.CaseHeader)
			eventually(t, "the call is under way", func() bool { return len(server.Calls(t, "waits")) == 1 })
			conn.Close()
			eventually(t, "the plugin sees that nobody waits", func() bool { return server.Calls(t, "waits")[0].Cancelled })
		})
	}
}

// TestConnectionSurvives: a failed exchange does not cost the client its
// connection.
func TestConnectionSurvives(t *testing.T) {
	server := startPlugin(t, "127.0.0.1:0")
	s := newSite(t, server.Target, at("pre", "pre", "hostile", "mortal;rpc 2"), at("response", "response", "hostile", "mortal;rnil"))
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	replies := bufio.NewReader(conn)
	for _, id := range []string{"pre", "response", "pre", "neighbour"} {
		fmt.Fprintf(conn, "POST /%s/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", id)
		resp, err := http.ReadResponse(replies, nil)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		want := http.StatusInternalServerError
		if id == "neighbour" {
			want = http.StatusOK
		}
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", id, resp.StatusCode, want)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
}
