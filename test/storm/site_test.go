// Package storm shows what a fleet of plugin servers costs its callers while its
// members are killed, stopped, restarted, replaced and cut off: nothing, where
// another one may be asked.
//
// The tests are short and assert counts. With -report they run at full scale and
// write down times too: see bench/storm.sh.
package storm

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/admin"
	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

// The scale. With a report the plugin servers have the settings that they have by
// default, and without one shorter times.
var (
	rate   = flag.Int("rate", 200, "requests a second")
	pause  = flag.Duration("pause", 300*time.Millisecond, "time before and between the steps of an event; it lasts six of them at least")
	report = flag.String("report", "", "the `file` for a report")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(program.Main(m))
}

// patience bounds every wait; nothing that works comes near it.
const patience = 60 * time.Second

type object = map[string]any

// A site is a gateway, a fleet of plugin servers, and an upstream.
type site struct {
	*program.Gateway
	admin    admin.Client
	replicas []*replica
	upstream *httptest.Server
	unmarked atomic.Int64 // requests that reached the upstream without a plugin's mark
	config   object
	file     string
}

// A replica is a plugin server that comes back at its address.
type replica struct {
	*plugintest.Process
	addr  string
	flags []string
}

func startReplica(t *testing.T, flags ...string) *replica {
	t.Helper()
	if *report != "" {
		flags = append(flags, "-forget")
	}
	r := &replica{addr: program.FreeAddr(t), flags: flags}
	r.start(t)
	return r
}

func (r *replica) start(t *testing.T) {
	t.Helper()
	r.Process = plugintest.StartProcess(t, program.Path(t, "scripted"), r.addr, r.flags...)
}

// restart restarts the server as its operator would.
func (r *replica) restart(t *testing.T) {
	t.Helper()
	r.Signal(t, syscall.SIGTERM)
	r.Wait()
	r.start(t)
}

// mark is a hook that marks the request with its own id.
const mark = "copy " + plugintest.CaseHeader + "=X-Mark"

// newSite starts a gateway for these plugin servers and APIs. Replies of the
// upstream are the mark that it has seen.
func newSite(t *testing.T, plugins object, apis ...object) *site {
	t.Helper()
	s := &site{}
	s.upstream = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mark := r.Header.Get("X-Mark")
		if mark == "" || mark != r.Header.Get(plugintest.CaseHeader) {
			s.unmarked.Add(1)
		}
		fmt.Fprint(w, mark)
	}))
	t.Cleanup(s.upstream.Close)
	addr := program.FreeAddr(t)
	s.admin = admin.Client{Base: "http://" + program.FreeAddr(t), Secret: "open"}
	s.config = object{
		"listen": addr, "store": "memory:", "plugins": plugins, "apis": apis,
		"admin": object{"listen": s.admin.Base[len("http://"):], "secret": s.admin.Secret},
		"log":   object{"format": "json", "level": "info"},
	}
	s.file = filepath.Join(t.TempDir(), "grapnel.yaml")
	s.configure(t)
	s.Gateway = program.Start(t, addr, "run", "--config", s.file)
	return s
}

// configure writes the configuration; the gateway sees that by itself.
func (s *site) configure(t *testing.T) {
	t.Helper()
	for _, a := range s.config["apis"].([]object) {
		a["target"], a["upstream_timeout"] = s.upstream.URL, patience.String()
	}
	text, err := json.Marshal(s.config) // which is YAML, too
	if err != nil {
		t.Fatal(err)
	}
	replace(t, s.file, text)
}

// reload has the gateway serve what is configured now.
func (s *site) reload(t *testing.T) {
	t.Helper()
	s.configure(t)
	if err := s.admin.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// api is an API that is found under its id and has one hook before the upstream.
func api(id string, hook object) object {
	return object{"id": id, "listen_path": "/" + id + "/", "hooks": object{"pre": []object{hook}}}
}

// with is an object and more.
func with(o, more object) object {
	o = maps.Clone(o)
	maps.Copy(o, more)
	return o
}

// standing tells how an endpoint stands, or the zero status when it is none.
func (s *site) standing(t *testing.T, addr string) admin.ReplicaStatus {
	t.Helper()
	all, err := s.admin.Plugins(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		for _, e := range p.Replicas {
			if e.Address == addr {
				return e
			}
		}
	}
	return admin.ReplicaStatus{}
}

// used waits until an endpoint answers calls again.
func (s *site) used(t *testing.T, addr string) {
	t.Helper()
	answered := func() uint64 { e := s.standing(t, addr); return e.Calls - e.Failures }
	before := answered()
	eventually(t, addr+" answers calls", func() bool { return answered() > before })
}

// eventually waits until ok says yes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain until %s", patience, what)
		}
	}
}
