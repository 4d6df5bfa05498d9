package coprocess

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	rpcmeta "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// poison is a pool that spoils what it gets back.
type poison struct{ mem.NopBufferPool }

func (poison) Put(b *[]byte) {
	for i := range *b {
		(*b)[i] = '!'
	}
}

// lent is an answer in memory that is spoilt as soon as it is given back.
func lent(data []byte, room int) *received {
	memory := slices.Grow(slices.Clone(data), room)
	return &received{buffer: mem.NewBuffer(&memory, poison{})}
}

// What an answer leaves on the exchange does not lie in memory that is used
// again, whether the answer fills it or not.
func TestNothingLent(t *testing.T) {
	for _, room := range []int{1 << 11, 1 << 16} {
		for i, data := range append(oddities(), encodedSeeds(t)...) {
			for stage := grapnel.Pre; stage <= grapnel.Response; stage++ {
				b := offline(i%2 == 0, false, stage)
				x := exchange(t, "POST /t/a?q=1", "body", "X-Foo: 1")
				resp := reply(200, header("A", "1"), "reply")
				q := b.question(x, wholeBody([]byte("body")))
				if stage == grapnel.Response {
					b.describe(q, resp, wholeBody([]byte("reply")))
				}
				lease := lent(append(q.slices().Materialize(), data...), room)
				a, err := b.read(q, lease)
				if err != nil {
					continue
				}
				answered := resp
				if stage == grapnel.Response {
					err = b.applyResponse(x, resp, q, &a)
				} else {
					answered, err = b.applyRequest(x, q, &a)
				}
				lease.release()
				text := fmt.Sprintf("%+v %v", snapshot(t, x), err)
				if refused, ok := errors.AsType[*grapnel.Error](err); ok {
					text += refused.Message + fmt.Sprint(refused.Header)
				}
				if answered != nil {
					body, _ := io.ReadAll(answered.Body)
					text += fmt.Sprintf("%s %v", body, answered.Header)
				}
				if strings.Contains(text, "!!") {
					t.Errorf("%s, answer %d: %.500s", stage, i, text)
				}
			}
		}
	}
}

func encodedSeeds(t *testing.T) (out [][]byte) {
	for _, o := range append(seeds(), &wire.Object{Request: &wire.MiniRequestObject{RawBody: []byte(strings.Repeat("x", 5000))}}) {
		out = append(out, marshal(t, o))
	}
	return out
}

// Calls that run at once, share a session and are cut off share no memory: every
// plugin gets, and every exchange keeps, bodies that are whole.
func TestConcurrentCalls(t *testing.T) {
	p := start(t)
	digest := func(b []byte) string {
		sum := sha256.Sum256(b)
		return hex.EncodeToString(sum[:])
	}
	p.answers(func(_ context.Context, o *wire.Object) (*wire.Object, error) {
		r := o.Request
		if digest(r.RawBody) != r.Headers["X-Digest"] || r.Body != string(r.RawBody) || o.Session.Alias != "alias" {
			return nil, errors.New("the message is damaged")
		}
		r.RawBody = []byte(strings.ToUpper(r.Body))
		return o, nil
	})
	b := bind(t, p.client(t, grapnel.CompatNative), testAPI(), grapnel.Post)
	session := fullSession()
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 40 {
				body := strings.Repeat(string(rune('a'+worker)), i*(i+worker)*20)
				x := exchange(t, "POST /t/a", body, "X-Digest: "+digest([]byte(body)))
				x.Session = session
				ctx := within(t)
				if i%8 == 7 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*10*time.Microsecond)
					defer cancel()
				}
				_, err := b.Request(ctx, x)
				switch {
				case errors.Is(err, context.DeadlineExceeded), status.Code(err) == codes.DeadlineExceeded:
				case err != nil:
					t.Error(err)
				case bodyOf(t, x) != strings.ToUpper(body):
					t.Errorf("worker %d, call %d: the body is damaged", worker, i)
				}
			}
		})
	}
	all.Wait()
}

// Calls look as those of any other client of protobuf do.
func TestContentType(t *testing.T) {
	p := start(t)
	var got []string
	p.answers(func(ctx context.Context, o *wire.Object) (*wire.Object, error) {
		md, _ := rpcmeta.FromIncomingContext(ctx)
		got = md["content-type"]
		return o, nil
	})
	pass(t, bind(t, p.client(t, grapnel.CompatTyk), testAPI(), grapnel.Pre), exchange(t, "GET /t/a", ""))
	if diff := cmp.Diff([]string{"application/grpc"}, got); diff != "" {
		t.Error(diff)
	}
}
