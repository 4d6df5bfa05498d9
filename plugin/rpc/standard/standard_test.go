package standard

import (
	"net"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc/mem"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/rpctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	rpctest.Suite(t, New)
}

// [A-63, L-14]: the library resolves names itself.
func TestResolves(t *testing.T) {
	_, port, _ := net.SplitHostPort(rpctest.Serve(t, "tcp", "127.0.0.1:0", nil).Target)
	c, err := New(rpc.Options{Target: "dns:///localhost:" + port})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	call := &rpc.Call{Method: rpctest.MethodEcho, Message: mem.BufferSlice{mem.SliceBuffer("x")}}
	answer, err := c.Invoke(t.Context(), call)
	if err != nil || string(answer.ReadOnlyData()) != "x" || call.Sent != 1 || call.Endpoint != "127.0.0.1:"+port {
		t.Errorf("%v, %+v", err, call)
	}
}
