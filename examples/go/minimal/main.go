// Command minimal is a plugin server with one hook, AddTenant.
package main

import (
	"context"
	"log"
	"net"

	"google.golang.org/grpc"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

type plugin struct {
	coprocess.UnimplementedDispatcherServer
}

// Dispatch answers one hook. What it leaves alone stays as it was.
func (plugin) Dispatch(_ context.Context, o *coprocess.Object) (*coprocess.Object, error) {
	if o.HookName == "AddTenant" {
		o.Request.SetHeaders = map[string]string{"X-Tenant": "acme"}
	}
	return o, nil
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:5555")
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer()
	coprocess.RegisterDispatcherServer(s, plugin{})
	log.Fatal(s.Serve(l))
}
