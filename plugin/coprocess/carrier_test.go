package coprocess

import (
	"os"
	"os/exec"
	"testing"

	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/direct"
	"github.com/grapnel-gateway/grapnel/plugin/rpc/standard"
)

// carrierVariable tells a process of this test to use the stock client.
const carrierVariable = "GRAPNEL_TEST_CARRIER"

// carry makes the connections of this process's tests.
func carry(o rpc.Options) (rpc.Conn, error) {
	if os.Getenv(carrierVariable) == "standard" {
		return standard.New(o)
	}
	return direct.New(o)
}

// Every test of the package holds for the stock client too.
func TestOverStandard(t *testing.T) {
	if os.Getenv(carrierVariable) != "" {
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^Test", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), carrierVariable+"=standard")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
