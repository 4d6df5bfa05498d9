//go:build unix

package h1

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(upstreamVariable) != "" {
		serveUpstream()
		return
	}
	goleak.VerifyTestMain(m)
}
