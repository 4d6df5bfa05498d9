// Command plugin is the plugin server of the benchmarks. Its hooks do the least
// that shows that they were asked, so that what is measured is the gateway.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"runtime/debug"
	"time"

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
	default:
		if token := o.Request.Headers["Authorization"]; token != "" {
			o.Session = session(o.HookName)
			o.Metadata = map[string]string{"token": token}
		}
	}
	return o, nil
}

// session is that of every caller: plain, kept for long, with a rate that is
// never reached, or with the rights for many
// APIs, 100 or as many as the hook's name says.
func session(hook string) *coprocess.SessionState {
	s := &coprocess.SessionState{OrgId: "bench"}
	switch hook {
	case "AcceptForLong":
		s.IdExtractorDeadline = time.Now().Add(time.Hour).Unix()
	case "AcceptRated":
		s.Rate, s.Per = 1e9, 1
	default:
		n := 0
		if hook == "AcceptManyRights" {
			n = 100
		} else if _, err := fmt.Sscanf(hook, "AcceptRights%d", &n); err != nil {
			return s
		}
		s.AccessRights = map[string]*coprocess.AccessDefinition{}
		for i := range n {
			id := fmt.Sprintf("api-%d", i)
			if i < 2 {
				id = []string{"bench", "seed"}[i]
			}
			s.AccessRights[id] = &coprocess.AccessDefinition{ApiId: id, ApiName: id, Versions: []string{"Default"}}
		}
	}
	return s
}

func main() {
	listen := flag.String("listen", "127.0.0.1:5555", "the `address` to listen on")
	flag.Parse()
	// The collector would run many times a second in so small a heap, and hold answers
	// up each time, which would be measured as the gateway's.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(512 << 20)
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	const most = 64 << 20 // of one message
	s := grpc.NewServer(grpc.MaxRecvMsgSize(most), grpc.MaxSendMsgSize(most))
	coprocess.RegisterDispatcherServer(s, plugin{})
	log.Fatal(s.Serve(l))
}
