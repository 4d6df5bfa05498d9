package coprocess

import (
	"context"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// typical is the exchange of a browser's request.
func typical(b *testing.B) *grapnel.Exchange {
	return exchange(b, "POST /t/orders?page=2&sort=date", `{"order": 17, "items": ["a", "b", "c"]}`,
		"Accept: application/json", "Accept-Encoding: gzip, br", "Accept-Language: en", "Authorization: Bearer 0123456789abcdef",
		"Content-Type: application/json", "Content-Length: 39", "Cookie: session=0123456789", "User-Agent: bench", "X-Request-Id: 1")
}

func offline(b *testing.B) *binding {
	c := dial(b, grapnel.PluginServer{Target: "127.0.0.1:1"})
	return bind(b, c, testAPI(), grapnel.Post)
}

// What an exchange costs before it is on the wire.
func BenchmarkBuildMarshal(b *testing.B) {
	bound, x := offline(b), typical(b)
	body, _ := x.Body()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := proto.Marshal(bound.object(x, body)); err != nil {
			b.Fatal(err)
		}
	}
}

// What an answer costs that sets one header.
func BenchmarkUnmarshalApply(b *testing.B) {
	bound, x := offline(b), typical(b)
	body, _ := x.Body()
	sent := bound.object(x, body)
	answer := proto.CloneOf(sent)
	answer.Request.SetHeaders = map[string]string{"X-Tenant": "7"}
	data, _ := proto.Marshal(answer)
	b.ReportAllocs()
	for b.Loop() {
		got := &wire.Object{}
		if err := proto.Unmarshal(data, got); err != nil {
			b.Fatal(err)
		}
		if _, err := bound.applyRequest(x, sent, got); err != nil {
			b.Fatal(err)
		}
	}
}

// What a whole call costs, the plugin's share included.
func BenchmarkRequest(b *testing.B) {
	p := start(b)
	bound, x := bind(b, p.client(b, grapnel.CompatNative), testAPI(), grapnel.Pre), typical(b)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bound.Request(ctx, x); err != nil {
			b.Fatal(err)
		}
	}
}
