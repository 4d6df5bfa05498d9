package direct

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/rpctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	rpctest.Suite(t, func(o rpc.Options) (rpc.Conn, error) { return New(o) })
}
