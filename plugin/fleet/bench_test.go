package fleet_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/grpc/mem"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/fleet"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
)

// nothing is a connection that answers at once, so that what is measured is the
// fleet.
type nothing struct{}

func (nothing) Invoke(context.Context, *rpc.Call) (mem.Buffer, error) { return nil, nil }
func (nothing) State() rpc.State                                      { return rpc.Ready }
func (nothing) Close() error                                          { return nil }

func BenchmarkInvoke(b *testing.B) {
	for _, method := range []string{"least_request", "round_robin", "hash"} {
		for _, n := range []int{1, 3, 10} {
			b.Run(fmt.Sprintf("%s/%d", method, n), func(b *testing.B) {
				var s grapnel.PluginServer
				s.SetDefaults()
				s.Balance.Method = method
				s.Health.Interval = 0
				for i := range n {
					s.Targets = append(s.Targets, fmt.Sprintf("127.0.0.1:%d", i+1))
				}
				f, err := fleet.New(s, func(rpc.Options) (rpc.Conn, error) { return nothing{}, nil }, slog.New(slog.DiscardHandler))
				if err != nil {
					b.Fatal(err)
				}
				defer f.Close()
				ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
				defer cancel()
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					call := &rpc.Call{Method: "/test.Echo/Say", Key: 7}
					for pb.Next() {
						if _, err := f.Invoke(ctx, call); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}
