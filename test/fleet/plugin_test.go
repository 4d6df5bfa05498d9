package fleet

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"

	"google.golang.org/grpc"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// A hook changes the Object that the plugin received; that is the answer.
type hook func(*coprocess.Object)

// A plugin is a plugin server that counts its calls by hook.
type plugin struct {
	coprocess.UnimplementedDispatcherServer
	target string

	mu    sync.Mutex
	hooks map[string]hook
	calls map[string]int
}

func startPlugin(t *testing.T) *plugin {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &plugin{target: l.Addr().String(), hooks: map[string]hook{}, calls: map[string]int{}}
	server := grpc.NewServer()
	coprocess.RegisterDispatcherServer(server, p)
	go server.Serve(l) // ends when the server is stopped
	t.Cleanup(server.Stop)
	return p
}

// on says what a hook does; one that is not known leaves the Object alone.
func (p *plugin) on(name string, h hook) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks[name] = h
}

// called is how often a hook was asked.
func (p *plugin) called(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[name]
}

// Dispatch counts the call and runs the hook.
func (p *plugin) Dispatch(_ context.Context, o *coprocess.Object) (*coprocess.Object, error) {
	p.mu.Lock()
	p.calls[o.GetHookName()]++
	h := p.hooks[o.GetHookName()]
	p.mu.Unlock()
	if h != nil {
		h(o)
	}
	return o, nil
}

// accept lets in whoever presents a credential, which is the token of the session
// that make makes.
func accept(make func() *coprocess.SessionState) hook {
	return func(o *coprocess.Object) {
		credential := o.GetRequest().GetHeaders()["Authorization"]
		if credential == "" || credential == "wrong" {
			refuse(o, http.StatusForbidden, "wrong credentials")
			return
		}
		o.Session, o.Metadata = make(), map[string]string{"token": credential}
	}
}

// unlimited is a session without limits.
func unlimited() *coprocess.SessionState { return &coprocess.SessionState{QuotaMax: -1} }

// refuse answers the client.
func refuse(o *coprocess.Object, status int, message string) {
	o.Request.ReturnOverrides = &coprocess.ReturnOverrides{ResponseCode: int32(status), ResponseError: message}
}

// quotaOf is a session with a quota, about which the plugin need not be asked
// again.
func quotaOf(n int64) *coprocess.SessionState {
	return &coprocess.SessionState{QuotaMax: n, QuotaRemaining: n, QuotaRenewalRate: 3600, IdExtractorDeadline: 4e9}
}
