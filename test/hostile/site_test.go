// Package hostile shows that the gateway survives plugins that are broken,
// slow, ill-meaning or gone: the client gets the documented answer, the
// operator a line in the log, and everybody else notices nothing.
package hostile

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel/plugin/plugintest"
	"github.com/grapnel-gateway/grapnel/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// patience bounds every wait; nothing that works comes near it.
const patience = 20 * time.Second

// A site is a gateway with a well-behaved plugin server, an upstream, and
// whatever APIs a test has. The plugin server "hostile" is the test's own.
type site struct {
	*program.Gateway
	good     *plugintest.Process
	upstream *upstream
}

// object is one of a configuration, or of JSON.
type object = map[string]any

// newSite starts everything but the hostile server, which listens at target,
// or will.
func newSite(t *testing.T, target string, apis ...object) *site {
	t.Helper()
	s := &site{upstream: newUpstream(t), good: startPlugin(t, "127.0.0.1:0")}
	apis = append(apis, at("pre", "neighbour", "good", "set X-Good=1"), at("pre", "kin", "hostile", "set X-Good=1"))
	for _, a := range apis {
		a["target"] = s.upstream.URL
	}
	addr := program.FreeAddr(t)
	config, err := json.Marshal(object{ // which is YAML, too
		"listen": addr,
		"admin":  object{"listen": ""},
		"store":  "memory:",
		"log":    object{"format": "json", "level": "info"},
		"plugins": object{
			"hostile": object{"target": target, "timeout": patience.String(), "max_receive": "1MiB"},
			"good":    object{"target": s.good.Target, "timeout": patience.String()},
			"default": object{"target": s.good.Target},
		},
		"apis": apis,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "grapnel.yaml")
	if err := os.WriteFile(file, config, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Gateway = program.Start(t, addr, "run", "--config", file)
	return s
}

func startPlugin(t *testing.T, addr string) *plugintest.Process {
	t.Helper()
	return plugintest.StartProcess(t, program.Path(t, "scripted"), addr)
}

// socket is a target where nothing listens yet.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "plugin") // the paths of Unix sockets must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return "unix://" + filepath.Join(dir, "s")
}

// api is the configuration of an API that is found under its id.
func api(id string, rest object) object {
	a := object{"id": id, "listen_path": "/" + id + "/"}
	for k, v := range rest {
		a[k] = v
	}
	return a
}

// hooks is the configuration of one hook of a stage.
func hooks(plugin, verbs string) []object {
	return []object{{"plugin": plugin, "hook": verbs}}
}

// at is the configuration of an API with one hook at a stage. Where the stage
// needs a caller, the good plugin server knows him.
func at(stage, id, plugin, verbs string) object {
	switch stage {
	case "auth":
		return api(id, object{"auth": hooks(plugin, verbs)})
	case "post_key_auth":
		return api(id, object{"auth": hooks("good", "auth sesame"), "hooks": object{stage: hooks(plugin, verbs)}})
	}
	return api(id, object{"hooks": object{stage: hooks(plugin, verbs)}})
}

// bound gives the hook that at has put into an API a timeout of its own.
func bound(a object, stage, timeout string) object {
	list := a["auth"]
	if stage != "auth" {
		list = a["hooks"].(object)[stage]
	}
	list.([]object)[0]["timeout"] = timeout
	return a
}

// A reply is what a client got.
type reply struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

// ask sends a request to an API over a connection of its own. That there is no
// whole reply is an error.
func (s *site) ask(id string) (reply, error) {
	r, err := http.NewRequest(http.MethodPost, "http://"+s.Addr+"/"+id+"/x?q=1", strings.NewReader("payload"))
	if err != nil {
		return reply{}, err
	}
	r.Header.Set(plugintest.CaseHeader, id)
	r.Header.Set("Authorization", "sesame")
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	begin := time.Now()
	resp, err := client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(body), time.Since(begin)}, err
}

// must is ask for tests in which every request gets a reply.
func (s *site) must(t *testing.T, id string) reply {
	t.Helper()
	r, err := s.ask(id)
	if err != nil {
		t.Fatalf("%s: no whole reply: %v", id, err)
	}
	return r
}

// neighbours asks other APIs all the time until the test ends, and fails the
// test if any reply is not what it should be. The API "neighbour" has a plugin
// server of its own, the API "kin" shares the hostile one.
func (s *site) neighbours(t *testing.T, ids ...string) {
	t.Helper()
	stop := make(chan struct{})
	var first, all sync.WaitGroup
	for _, id := range ids {
		first.Add(1)
		all.Go(func() {
			for answered := sync.OnceFunc(first.Done); ; answered() {
				r, err := s.ask(id)
				if err != nil || r.status != http.StatusOK || !strings.Contains(r.body, `"X-Good":["1"]`) {
					t.Errorf("%s got %+v, %v", id, r, err)
				}
				select {
				case <-stop:
					answered()
					return
				default:
				}
			}
		})
	}
	first.Wait()
	t.Cleanup(func() { close(stop); all.Wait() })
}

// eventually waits until ok says yes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain until %s", patience, what)
		}
	}
}

// An upstream echoes requests as JSON and counts them by X-Case.
type upstream struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]int
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{seen: map[string]int{}}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.seen[r.Header.Get(plugintest.CaseHeader)]++
		u.mu.Unlock()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Up", "1")
		json.NewEncoder(w).Encode(object{
			"request": fmt.Sprint(r.Method, " ", r.RequestURI, " ", string(body)), "headers": r.Header,
		})
	}))
	t.Cleanup(u.Close)
	return u
}

// take is how many requests with this X-Case header came since it was last
// asked.
func (u *upstream) take(id string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	defer delete(u.seen, id)
	return u.seen[id]
}
