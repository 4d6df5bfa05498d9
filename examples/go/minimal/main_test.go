package main

import (
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// TestPlugin asks the plugin over a real connection, as the gateway does.
func TestPlugin(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	coprocess.RegisterDispatcherServer(s, plugin{})
	go s.Serve(l)
	t.Cleanup(s.Stop)
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })

	for hook, want := range map[string]string{"AddTenant": "acme", "AnyOther": ""} {
		o, err := coprocess.NewDispatcherClient(conn).Dispatch(t.Context(), &coprocess.Object{
			HookName: hook,
			Request:  &coprocess.MiniRequestObject{Method: "GET", Url: "/"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Request.SetHeaders["X-Tenant"]; got != want {
			t.Errorf("%s set X-Tenant to %q, want %q", hook, got, want)
		}
		if o.Request.Method != "GET" || o.Request.Url != "/" {
			t.Errorf("%s returned the request %v", hook, o.Request)
		}
	}
}
