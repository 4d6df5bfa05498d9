// Package demo is the plugin server of `grapnel demo`, and one to learn from:
// five hooks, one for each stage of a request. A plugin server of your own is
// the same with a main function around it, as in examples/go/minimal.
package demo

import (
	"bytes"
	"context"
	"log"
	"net"
	"net/http"
	"regexp"

	"google.golang.org/grpc"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// Serve answers hooks on the listener until the context ends, and then
// finishes the calls under way. Every call is a line of the log.
func Serve(ctx context.Context, l net.Listener, log *log.Logger) error {
	s := grpc.NewServer()
	coprocess.RegisterDispatcherServer(s, plugin{log: log})
	stop := context.AfterFunc(ctx, s.GracefulStop)
	defer stop()
	return s.Serve(l)
}

// A plugin keeps nothing between calls: it is asked many things at once.
type plugin struct {
	coprocess.UnimplementedDispatcherServer
	log *log.Logger
}

// Dispatch is every hook's way in. The name says which one is meant; what is
// returned as it came stays as it was.
func (p plugin) Dispatch(_ context.Context, o *coprocess.Object) (*coprocess.Object, error) {
	p.log.Printf("%s %s: %s %s", o.HookType, o.HookName, o.Request.Method, o.Request.Url)
	switch o.HookName {
	case "AddTenant":
		addTenant(o)
	case "CheckToken":
		checkToken(o)
	case "NameMember":
		nameMember(o)
	case "Shout":
		shout(o)
	case "Redact":
		redact(o)
	}
	return o, nil
}

// addTenant is a Pre hook: it sees requests before anyone knows who is
// calling. Headers are set by an order, not by changing the ones that came.
func addTenant(o *coprocess.Object) {
	o.Request.SetHeaders = map[string]string{"X-Tenant": "acme"}
}

// checkToken is an auth hook. To accept a caller it returns their session, and
// in the metadata the token that stands for it; to refuse one, an answer.
func checkToken(o *coprocess.Object) {
	token := o.Request.Headers["Authorization"]
	if token != "let-me-in" {
		o.Request.ReturnOverrides = &coprocess.ReturnOverrides{
			ResponseCode:  http.StatusUnauthorized,
			ResponseError: "Unknown token",
		}
		return
	}
	o.Session = &coprocess.SessionState{Alias: "Ada"}
	o.Metadata = map[string]string{"token": token}
}

// nameMember is a PostKeyAuth hook: it sees the session that checkToken made.
// The upstream is to know the caller's name, and need not know their token.
func nameMember(o *coprocess.Object) {
	o.Request.SetHeaders = map[string]string{"X-Member": o.Session.GetAlias()}
	o.Request.DeleteHeaders = []string{"Authorization"}
}

// shout is a Post hook: the last one before the upstream. The gateway sets the
// length of the body that it returns.
func shout(o *coprocess.Object) {
	o.Request.RawBody = bytes.ToUpper(o.Request.RawBody)
}

// card matches a card number, and keeps the four digits that may be shown.
var card = regexp.MustCompile(`\b(?:\d{4} ){3}(\d{4})\b`)

// redact is a Response hook: it returns the whole reply, changed or not.
func redact(o *coprocess.Object) {
	o.Response.RawBody = card.ReplaceAll(o.Response.RawBody, []byte("**** **** **** $1"))
}
