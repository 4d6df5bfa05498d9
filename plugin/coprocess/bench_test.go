package coprocess

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// typical is the exchange of a browser's request with this body.
func typical(t testing.TB, body string) *grapnel.Exchange {
	line := "GET /t/orders?page=2&sort=date"
	if body != "" {
		line = "POST /t/orders?page=2&sort=date"
	}
	return exchange(t, line, body,
		"Accept: application/json", "Accept-Encoding: gzip, br", "Accept-Language: en", "Authorization: Bearer 0123456789abcdef",
		"Content-Type: application/json", "Cookie: session=0123456789", "User-Agent: bench", "X-Request-Id: 1")
}

// withRights is a session with so many access rights.
func withRights(n int) *grapnel.Session {
	s := &grapnel.Session{
		KeyID: "0123456789abcdef", Rate: 100, Per: 1, OrgID: "org-1", Alias: "bench", ApplyPolicies: []string{"p1"},
		AccessRights: map[string]grapnel.AccessDefinition{}, Metadata: map[string]any{"tier": "gold"},
	}
	for i := range n {
		id := fmt.Sprintf("api-%d", i)
		s.AccessRights[id] = grapnel.AccessDefinition{
			APIName: id, APIID: id, Versions: []string{"Default"}, AllowedURLs: []grapnel.AccessSpec{{URL: "/" + id, Methods: []string{"GET", "POST"}}},
		}
	}
	return s
}

// A load is an exchange as benchmarks have them.
type load struct {
	name string
	body int
	keys int // access rights; 0 is no session
}

func loads() []load {
	return []load{{"small", 0, 0}, {"body=1KB", 1 << 10, 0}, {"body=1MB", 1 << 20, 0}, {"rights=1", 0, 1}, {"rights=100", 0, 100}}
}

func (l load) exchange(t testing.TB) (*grapnel.Exchange, []byte) {
	x := typical(t, strings.Repeat("0123456789abcdef", l.body/16))
	if l.keys > 0 {
		x.Session = withRights(l.keys)
	}
	body, err := x.Body()
	if err != nil {
		t.Fatal(err)
	}
	return x, body
}

// The bounds of what a call may allocate before it is on the wire, and after.
const (
	encodeAllocs = 6
	echoAllocs   = 3
	changeAllocs = 8
)

// encode is what a call does before it is on the wire.
func encode(b *binding, x *grapnel.Exchange, body []byte) {
	b.question(x, wholeBody(body)).slices().Free()
}

// decode is what a call does with the answer.
func decode(t testing.TB, b *binding, x *grapnel.Exchange, q *question, data []byte) {
	a, err := b.read(q, &received{buffer: mem.SliceBuffer(data)})
	if err == nil {
		_, err = b.applyRequest(x, q, &a)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// answers makes the wire forms of an echo, and of an answer that sets one header.
func answers(t testing.TB, q *question) (echo, change []byte) {
	o := sent(t, &q.message)
	echo = marshal(t, o)
	o.Request.SetHeaders = map[string]string{"X-Tenant": "7"}
	return echo, marshal(t, o)
}

func TestAllocations(t *testing.T) {
	b := offline(false, false, grapnel.Post)
	x, body := load{}.exchange(t)
	q := b.question(x, wholeBody(body))
	echo, change := answers(t, q)
	for name, test := range map[string]struct {
		budget float64
		do     func()
	}{
		"encode": {encodeAllocs, func() { encode(b, x, body) }},
		"echo":   {echoAllocs, func() { decode(t, b, x, q, echo) }},
		"change": {changeAllocs, func() { decode(t, b, x, q, change) }},
	} {
		if n := testing.AllocsPerRun(1000, test.do); n > test.budget {
			t.Errorf("%s: %v allocations, the budget is %v", name, n, test.budget)
		} else {
			t.Logf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, l := range loads() {
		b.Run(l.name, func(b *testing.B) {
			bound := offline(false, false, grapnel.Post)
			x, body := l.exchange(b)
			b.ReportAllocs()
			for b.Loop() {
				encode(bound, x, body)
			}
		})
	}
}

// A session whose quota is counted is another one each time.
func BenchmarkEncodeMetered(b *testing.B) {
	for _, rights := range []int{1, 100} {
		b.Run(fmt.Sprintf("rights=%d", rights), func(b *testing.B) {
			bound := offline(false, false, grapnel.Post)
			x, body := load{keys: rights}.exchange(b)
			shared := x.Session
			b.ReportAllocs()
			for left := int64(1 << 40); b.Loop(); left-- {
				x.Session = shared
				x.Meter(1<<40, left, 1<<31)
				encode(bound, x, body)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, l := range loads() {
		bound := offline(false, false, grapnel.Post)
		x, body := l.exchange(b)
		q := bound.question(x, wholeBody(body))
		echo, change := answers(b, q)
		for name, data := range map[string][]byte{"echo": echo, "change": change} {
			b.Run(name+"/"+l.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					decode(b, bound, x, q, data)
				}
			})
		}
	}
}

// A reply of an upstream, echoed.
func BenchmarkDecodeReply(b *testing.B) {
	bound := offline(false, false, grapnel.Response)
	x, body := load{}.exchange(b)
	content := []byte(strings.Repeat("0123456789abcdef", 64))
	resp := reply(200, header("Content-Type", "application/json", "Cache-Control", "no-store", "Etag", `"1"`, "Date", "now",
		"Set-Cookie", "a=1", "Set-Cookie", "b=2", "Server", "bench", "Vary", "Accept"), string(content))
	q := bound.question(x, wholeBody(body))
	bound.describe(q, resp, wholeBody(content))
	data := marshal(b, sent(b, &q.message))
	b.ReportAllocs()
	for b.Loop() {
		a, err := bound.read(q, &received{buffer: mem.SliceBuffer(data)})
		if err == nil {
			err = bound.applyResponse(x, resp, q, &a)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// The reference, for comparison.
func BenchmarkReference(b *testing.B) {
	bound := offline(false, false, grapnel.Post)
	x, body := load{}.exchange(b)
	data := marshal(b, referenceObject(bound, "h", x, body, nil, nil))
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			marshal(b, referenceObject(bound, "h", x, body, nil, nil))
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := proto.Unmarshal(data, &wire.Object{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// What a whole call costs, the plugin's share included.
func BenchmarkRequest(b *testing.B) {
	p := start(b)
	c := p.client(b, grapnel.CompatNative)
	for _, l := range loads() {
		b.Run(l.name, func(b *testing.B) {
			bound := bind(b, c, testAPI(), grapnel.Post)
			x, _ := l.exchange(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bound.Request(context.Background(), x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkResponse(b *testing.B) {
	p := start(b)
	bound := bind(b, p.client(b, grapnel.CompatNative), testAPI(), grapnel.Response)
	x, _ := load{}.exchange(b)
	content := strings.Repeat("0123456789abcdef", 64)
	h := header("Content-Type", "application/json", "Cache-Control", "no-store", "Date", "now", "Server", "bench")
	b.ReportAllocs()
	for b.Loop() {
		resp := &http.Response{StatusCode: 200, Header: h, Body: io.NopCloser(strings.NewReader(content)), ContentLength: int64(len(content))}
		if _, err := bound.Response(context.Background(), x, resp); err != nil {
			b.Fatal(err)
		}
	}
}
