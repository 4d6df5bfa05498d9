// Command plugin is the plugin server of the benchmarks. Its hooks do the least
// that shows that they were asked, so that what is measured is the gateway.
package main

import (
	"context"
	"flag"
	"log"
	"net"

	"google.golang.org/grpc"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

type plugin struct {
	coprocess.UnimplementedDispatcherServer
}

// Dispatch sets the header X-Plugin on requests and replies, and accepts every
// caller who has a token.
func (plugin) Dispatch(_ context.Context, o *coprocess.Object) (*coprocess.Object, error) {
	switch o.HookName {
	case "Mark":
		o.Request.SetHeaders = map[string]string{"X-Plugin": "yes"}
	case "MarkReply":
		o.Response.Headers["X-Plugin"] = "yes"
	case "Accept":
		if token := o.Request.Headers["Authorization"]; token != "" {
			o.Session = &coprocess.SessionState{OrgId: "bench"}
			o.Metadata = map[string]string{"token": token}
		}
	}
	return o, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:5555", "the `address` to listen on")
	flag.Parse()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer()
	coprocess.RegisterDispatcherServer(s, plugin{})
	log.Fatal(s.Serve(l))
}
