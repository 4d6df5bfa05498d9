package fleet_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func TestZServer(t *testing.T) {
	at := os.Getenv("ZZ")
	if at == "" {
		t.Skip()
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		fmt.Println("ERR", err)
		os.Exit(1)
	}
	s := grpc.NewServer()
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "test.Echo", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{MethodName: "Say",
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			decode(&wrapperspb.StringValue{})
			time.Sleep(time.Millisecond)
			return wrapperspb.String("x"), nil
		}}}}, nil)
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	go func() { <-c; s.GracefulStop(); os.Exit(0) }()
	fmt.Println("UP")
	s.Serve(l)
	os.Exit(0)
}

func spawn(at string) *exec.Cmd {
	c := exec.Command(os.Args[0], "-test.run=TestZServer")
	c.Env = append(os.Environ(), "ZZ="+at)
	out, _ := c.StdoutPipe()
	c.Start()
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "UP\n" {
			break
		}
	}
	return c
}

func TestZExperiment(t *testing.T) {
	if os.Getenv("ZZX") == "" {
		t.Skip()
	}
	for _, idem := range []bool{false, true} {
		for _, event := range []string{"none", "kill", "stop", "rolling"} {
			ports := []string{"127.0.0.1:21011", "127.0.0.1:21012", "127.0.0.1:21013"}
			var procs []*exec.Cmd
			for _, p := range ports {
				procs = append(procs, spawn(p))
			}
			s := settings(ports...)
			full := s
			full.SetDefaults()
			full.Name, full.Targets = "p", ports
			f := open(t, full)
			var mu sync.Mutex
			var took []time.Duration
			failed := map[string]int{}
			stop := make(chan struct{})
			var wg sync.WaitGroup
			tick := time.NewTicker(time.Millisecond)
			begun := time.Now()
			go func() {
				switch event {
				case "kill":
					time.Sleep(2 * time.Second)
					procs[1].Process.Kill()
					procs[1].Wait()
					time.Sleep(time.Second)
					procs[1] = spawn(ports[1])
				case "stop":
					time.Sleep(2 * time.Second)
					procs[1].Process.Signal(syscall.SIGSTOP)
					time.Sleep(5 * time.Second)
					procs[1].Process.Signal(syscall.SIGCONT)
				case "rolling":
					time.Sleep(2 * time.Second)
					for i := range procs {
						procs[i].Process.Signal(syscall.SIGTERM)
						procs[i].Wait()
						procs[i] = spawn(ports[i])
						time.Sleep(500 * time.Millisecond)
					}
				}
			}()
			time.AfterFunc(9*time.Second, func() { close(stop) })
			for {
				select {
				case <-tick.C:
					for range 2 {
						wg.Go(func() {
							at := time.Now()
							ctx, cancel := context.WithTimeout(context.Background(), 250*time.Millisecond)
							defer cancel()
							edit := retries(1)
							var err error
							if idem {
								_, err = say(ctx, f, edit, idempotent)
							} else {
								_, err = say(ctx, f)
							}
							mu.Lock()
							defer mu.Unlock()
							took = append(took, time.Since(at))
							if err != nil {
								failed[err.Error()]++
							}
						})
					}
					continue
				case <-stop:
				}
				break
			}
			wg.Wait()
			tick.Stop()
			slices.Sort(took)
			t.Logf("idem=%v %-8s %d calls in %v p50 %v p99 %v max %v failed %v", idem, event, len(took), time.Since(begun).Round(time.Second), took[len(took)/2], took[len(took)*99/100], took[len(took)-1], failed)
			for _, e := range f.Snapshot().Endpoints {
				t.Logf("   %+v", e)
			}
			f.Close()
			for _, p := range procs {
				p.Process.Kill()
				p.Wait()
			}
		}
	}
}
