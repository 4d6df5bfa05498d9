package sdk

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// checksum is the example of docs/plugins.md, but for the package's name.
func checksum(x *Exchange, body *Body) error {
	if x.Header("Content-Type") == "application/x-msdownload" {
		return Deny(403, "no programs")
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(body, sum), body); err != nil {
		return err
	}
	body.Trailer.Set("X-Sha256", hex.EncodeToString(sum.Sum(nil)))
	return nil
}

// TestPluginsPage: docs/plugins.md shows the function above.
func TestPluginsPage(t *testing.T) {
	page, err := os.ReadFile("../docs/plugins.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("body_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(page), "```go\nfunc checksum")
	code, _, found := strings.Cut(code, "```")
	if !found || !strings.Contains(string(own), "func checksum"+strings.ReplaceAll(code, "sdk.", "")) {
		t.Errorf("docs/plugins.md shows another function:%s", code)
	}
}

// pass has a body pass through a hook, as the gateway does.
func passBody(t *testing.T, hook string, h StreamHandler, o *coprocess.Object, pieces ...string) (*coprocess.Object, string, http.Header, error) {
	t.Helper()
	conn, _ := serve(t, t.Context(), StreamHook("Hook", h))
	stream, err := coprocess.NewBodyStreamClient(conn).Exchange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.HookName = hook
	stream.Send(&coprocess.BodyChunk{Object: o})
	first, err := stream.Recv()
	if err != nil {
		return nil, "", nil, err
	}
	for _, p := range pieces {
		stream.Send(&coprocess.BodyChunk{Data: []byte(p)})
	}
	stream.Send(&coprocess.BodyChunk{End: true, Trailers: []*coprocess.Header{{Key: "X-T", Values: []string{"1"}}}})
	body := ""
	for {
		c, err := stream.Recv()
		if err != nil {
			return first.Object, body, nil, err
		}
		if body += string(c.Data); c.End {
			return first.Object, body, trailerOf(c.Trailers), nil
		}
	}
}

func TestStreamHook(t *testing.T) {
	post := func(kind string) *coprocess.Object {
		return &coprocess.Object{HookType: coprocess.HookType_Post, Request: &coprocess.MiniRequestObject{Headers: map[string]string{"Content-Type": kind}}}
	}
	_, body, trailer, err := passBody(t, "Hook", checksum, post("text/plain"), "a", "b", "c")
	if err != nil || body != "abc" || trailer.Get("X-T") != "1" || !strings.HasPrefix(trailer.Get("X-Sha256"), "ba7816bf") {
		t.Errorf("got %q, %v, %v", body, trailer, err)
	}
	o, _, _, err := passBody(t, "Hook", checksum, post("application/x-msdownload"), "a")
	if err != io.EOF || o.GetRequest().GetReturnOverrides().GetResponseCode() != 403 {
		t.Errorf("got %v, %v", o, err)
	}
	for name, h := range map[string]StreamHandler{"Nobody": checksum, "Hook": func(x *Exchange, _ *Body) error { x.SetHeader("X-A", "1"); return nil }} {
		o, body, trailer, err := passBody(t, name, h, post(""), "a", strings.Repeat("b", largest+1))
		if err != nil || len(body) != largest+2 || trailer.Get("X-T") != "1" || (name == "Hook") != (o.Request.SetHeaders["X-A"] == "1") {
			t.Errorf("%s: got %d bytes, %v, %v", name, len(body), trailer, err)
		}
	}
	_, body, _, err = passBody(t, "Hook", func(_ *Exchange, b *Body) error {
		io.WriteString(b, "begin")
		panic("broken")
	}, post(""), "a")
	if body != "begin" || status.Code(err) != codes.Internal {
		t.Errorf("got %q, %v", body, err)
	}
}
