package coprocess

import (
	"crypto/tls"
	"hash/maphash"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// offline is a binding that cannot be asked.
func offline(tyk, verbatim bool, stage grapnel.Stage) *binding {
	c := &Client{tyk: tyk, verbatim: verbatim, sessions: sessions{seed: maphash.MakeSeed()}}
	b, _ := c.Bind(testAPI(), grapnel.Hook{Name: "h\xe9", Stage: stage})
	return b.(*binding)
}

// A message on the wire is what the generated code makes of the exchange.
func TestMessage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := offline(rapid.Bool().Draw(rt, "tyk"), false, grapnel.Stage(rapid.IntRange(1, 5).Draw(rt, "stage")))
		b.rawOnly = rapid.Bool().Draw(rt, "raw")
		x := exchange(t, "POST /", "")
		x.Request.Header, x.Request.URL = headers(rt), target(rt)
		x.Request.Header["Empty"] = nil
		x.Request.Header["Accept-Encoding"] = []string{"br"}
		x.Request.RequestURI = x.Request.URL.String() + "\xff"
		if rapid.Bool().Draw(rt, "host") {
			x.Request.Host, x.Request.URL.Host = rapid.SampledFrom([]string{"", "h"}).Draw(rt, "h"), "u"
			x.Request.Header["Host"] = []string{"other"}
		}
		if rapid.Bool().Draw(rt, "tls") {
			x.Request.TLS = &tls.ConnectionState{}
		}
		if rapid.Bool().Draw(rt, "rewrite") {
			x.Rewrite, x.RewriteMethod = target(rt), "PUT"
		}
		if rapid.Bool().Draw(rt, "session") {
			x.Session = randomSession(rt)
		}
		sizes := rapid.SampledFrom([]int{0, 1, 100, partFrom - 1, partFrom, 20000})
		content := []byte(strings.Repeat("b", sizes.Draw(rt, "body")) + body(rt))
		q := b.question(x, wholeBody(content))
		var resp *http.Response
		answer := []byte(strings.Repeat("é", sizes.Draw(rt, "reply")) + body(rt))
		if b.stage == grapnel.Response {
			resp = &http.Response{StatusCode: rapid.IntRange(0, 999).Draw(rt, "status"), Header: headers(rt)}
			resp.Header["None"] = []string{}
			b.describe(q, resp, wholeBody(answer))
		}
		want := referenceObject(b, "h\uFFFD", x, content, resp, answer)
		if diff := cmp.Diff(want, sent(t, &q.message), protocmp.Transform(), protocmp.SortRepeated(byKey)); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func byKey(a, b *wire.Header) bool { return a.Key < b.Key }

// randomSession draws a session, some of whose fields are not set.
func randomSession(t *rapid.T) *grapnel.Session {
	s := &grapnel.Session{}
	if rapid.Bool().Draw(t, "full") {
		s = fullSession()
	}
	word := rapid.StringN(0, 200, -1)
	number := rapid.Int64()
	s.Alias, s.LastCheck, s.QuotaMax, s.Rate = word.Draw(t, "alias"), number.Draw(t, "check"), number.Draw(t, "max"), rapid.Float64().Draw(t, "rate")
	s.Tags = rapid.SliceOfN(word, 0, 3).Draw(t, "tags")
	s.OAuthKeys = rapid.MapOfN(word, word, 0, 3).Draw(t, "keys")
	s.Monitor.TriggerLimits = rapid.SliceOfN(rapid.Float64(), 0, 30).Draw(t, "limits")
	s.AccessRights = rapid.MapOfN(word, rapid.Custom(func(t *rapid.T) grapnel.AccessDefinition {
		return grapnel.AccessDefinition{
			APIName: word.Draw(t, "name"), APIID: word.Draw(t, "id"), Versions: rapid.SliceOfN(word, 0, 2).Draw(t, "versions"),
			AllowedURLs: []grapnel.AccessSpec{{URL: word.Draw(t, "url"), Methods: rapid.SliceOfN(word, 0, 2).Draw(t, "methods")}},
		}
	}), 0, 3).Draw(t, "rights")
	s.Metadata = map[string]any{"text": word.Draw(t, "text"), "number": number.Draw(t, "number"), "none": func() {}}
	return s
}

// Every number of fields.go that a session has is written and read: what is sent
// of a session is the session that comes back.
func TestSessionRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := randomSession(rt)
		b := offline(false, false, grapnel.Auth)
		a, err := b.read(&question{}, &received{buffer: mem.SliceBuffer(encodeSession(s, false))})
		if err != nil {
			rt.Fatal(err)
		}
		want := &wire.Object{}
		if err := proto.Unmarshal(encodeSession(s, false), want); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(sessionState(s, false), want.Session, protocmp.Transform()); diff != "" {
			rt.Fatal(diff)
		}
		if diff := cmp.Diff(referenceSession(want.Session), a.session); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// of is an exchange with a session.
func of(s *grapnel.Session) *grapnel.Exchange { return &grapnel.Exchange{Session: s} }

// A session is encoded once, and again when another one takes its place.
func TestSessionEncodedOnce(t *testing.T) {
	e := &sessions{seed: maphash.MakeSeed()}
	one := fullSession()
	first := e.encoded(of(one), true, grapnel.SessionFull)
	if again := e.encoded(of(one), true, grapnel.SessionFull); &again[0] != &first[0] {
		t.Error("an unchanged session was encoded again")
	}
	changed := one.Clone()
	changed.Alias = "other"
	if string(e.encoded(of(changed), true, grapnel.SessionFull)) == string(first) {
		t.Error("a changed session has the form of the old one")
	}
	for range 10 * len(e.slots) { // more than there is room for
		s := one.Clone()
		s.LastCheck = int64(len(first))
		if string(e.encoded(of(s), true, grapnel.SessionFull)) == string(first) {
			t.Fatal("a session has the form of another")
		}
	}
}

// A session whose quota was counted is sent as if it were encoded anew, whatever
// the numbers, and whatever becomes of it after that.
func TestMeteredSession(t *testing.T) {
	e := &sessions{seed: maphash.MakeSeed()}
	shared := []*grapnel.Session{{}, fullSession(), withRights(100)}
	rapid.Check(t, func(t *rapid.T) {
		x := of(rapid.SampledFrom(shared).Draw(t, "session"))
		part := rapid.SampledFrom([]grapnel.SessionPart{grapnel.SessionFull, grapnel.SessionRedacted, grapnel.SessionMetadata}).Draw(t, "part")
		number := rapid.OneOf(rapid.Just[int64](0), rapid.Int64())
		for range rapid.IntRange(0, 2).Draw(t, "times") {
			x.Meter(number.Draw(t, "maximum"), number.Draw(t, "remaining"), number.Draw(t, "renews"))
		}
		if rapid.Bool().Draw(t, "replaced") {
			x.Session = x.Session.Clone()
			x.Session.Alias = "another"
		}
		got, want := &wire.Object{}, &wire.Object{}
		for o, data := range map[*wire.Object][]byte{got: e.encoded(x, false, part), want: encodeSession(shown(x.Session, part), false)} {
			if err := proto.Unmarshal(data, o); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// The session of an echo is known as it was sent, although its quota was counted:
// fields are in the order of their numbers.
func TestMeteredEcho(t *testing.T) {
	x := of(&grapnel.Session{LastCheck: 1, Expires: 2, QuotaRenewalRate: 3, OrgID: "org", Metadata: map[string]any{"a": "b"}})
	x.Meter(4, 0, 5)
	sent := (&sessions{seed: maphash.MakeSeed()}).encoded(x, false, grapnel.SessionFull)
	o := &wire.Object{}
	if err := proto.Unmarshal(sent, o); err != nil {
		t.Fatal(err)
	}
	if string(marshal(t, o)) != string(sent) {
		t.Errorf("%x comes back as %x", sent, marshal(t, o))
	}
}

// A buffer that grew too large is not kept, and a kept one serves any message.
func TestBuffers(t *testing.T) {
	p := &buffers{}
	for _, n := range []int{0, 1, bufferSize, bufferSize + 1, 2 * maxBufferSize} {
		b := p.Get(n)
		if len(*b) != n {
			t.Errorf("Get(%d) has %d bytes", n, len(*b))
		}
		p.Put(b)
		if again := p.Get(0); cap(*again) > maxBufferSize {
			t.Errorf("a buffer of %d bytes was kept", cap(*again))
		}
	}
}
