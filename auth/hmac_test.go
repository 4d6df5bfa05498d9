package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

const (
	hmacSecret  = "s3cr3t-of-alice"
	hmacRefused = "Authorization field missing, malformed or invalid"
	hmacDate    = "Tue, 07 Jun 2014 20:51:35 GMT"
)

func hmacGate(t testing.TB, skew time.Duration, algorithms ...string) *gate {
	g := newGate(t, grapnel.AuthMethod{HMAC: &grapnel.HMACAuth{
		Header: "Authorization", ClockSkew: grapnel.Duration(skew), Algorithms: algorithms,
	}})
	g.save(t, "alice-key", grapnel.Session{Alias: "alice", HMACEnabled: true, HMACSecret: hmacSecret})
	g.save(t, "off-key", grapnel.Session{HMACSecret: hmacSecret})
	g.save(t, "none-key", grapnel.Session{HMACEnabled: true})
	return g
}

// sign is the field of a signature over the text.
func sign(secret, text, headers string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return `Authorization: Signature keyId="alice-key",algorithm="hmac-sha256",headers="` + headers +
		`",signature="` + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))) + `"`
}

// TestHMACVectors: signatures that were made with Python's hmac, base64 and
// urllib.
func TestHMACVectors(t *testing.T) {
	const fields = `headers="(request-target) date x-total",`
	vectors := map[string]string{
		"hmac-sha1":   fields + `signature="IzxfZA8jnXDl4L8d1cqqTALahzo%3D"`,
		"hmac-sha256": fields + `signature="AGSKViT%2F4o128%2FDFUyWwYOcsU0ThOP3IIaiRAZhN19g%3D"`,
		"hmac-sha384": fields + `signature="sqiKYKRfQ7GuF4Sj%2BDxS8bwEQ9AwXCDLxs75j1Fvhtfc6ueYq%2BN3bvslqK4QoGZp"`,
		"hmac-sha512": fields + `signature="CZu5RyJWqlppvEp2Tx3L2cCCdAESgABBVlztfasUhOy493Yjix0dxTXJ6WbGz3PFe77aTNvsjYDkVw2SGZTlRA%3D%3D"`,
		"HMAC-SHA1":   `signature="iU%2BFr%2FmPMC%2FO%2FEXLpDlfbDo5z8w%3D"`, // the date alone
	}
	for algorithm, rest := range vectors {
		for name, form := range map[string]string{
			"as it is": rest, "lower case": strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d").Replace(rest),
			"not escaped": strings.NewReplacer("%2F", "/", "%2B", "+", "%3D", "=").Replace(rest),
		} {
			g := hmacGate(t, 0)
			field := `Authorization: Signature keyId="alice-key",algorithm="` + algorithm + `",` + form
			x := g.exchange("/orders/7?full=1", "Date: "+hmacDate, "X-Total: 12", "X-Total: 13", field)
			if s := g.passes(t, x); s.Alias != "alice" {
				t.Errorf("%s, %s: session of %q", algorithm, name, s.Alias)
			}
		}
	}
}

// TestHMACAttacks: whatever is wrong, the answer is the same [S-45].
func TestHMACAttacks(t *testing.T) {
	now := time.Now().UTC().Format(http.TimeFormat)
	good := sign(hmacSecret, "(request-target): get /a\ndate: "+now, "(request-target) date")
	for name, c := range map[string]struct {
		url, field, date string
		events           int
	}{
		"missing":            {"/a", "X: y", now, 0},
		"other path":         {"/b", good, now, 1},
		"other query":        {"/a?x=1", good, now, 1},
		"other date":         {"/a", good, time.Now().Add(time.Second).UTC().Format(http.TimeFormat), 1},
		"no date":            {"/a", good, "", 1},
		"wrong secret":       {"/a", sign("other", "(request-target): get /a\ndate: "+now, "(request-target) date"), now, 1},
		"empty secret":       {"/a", sign("", "(request-target): get /a\ndate: "+now, "(request-target) date"), now, 1},
		"date not signed":    {"/a", sign(hmacSecret, "(request-target): get /a", "(request-target)"), now, 1},
		"nothing signed":     {"/a", sign(hmacSecret, "", ""), now, 1},
		"missing field":      {"/a", sign(hmacSecret, "date: "+now+"\nx-none: ", "date x-none"), now, 1},
		"unknown key":        {"/a", strings.Replace(good, "alice-key", "bobs-key", 1), now, 1},
		"HMAC switched off":  {"/a", strings.Replace(good, "alice-key", "off-key", 1), now, 1},
		"key without secret": {"/a", strings.Replace(sign("", "date: "+now, "date"), "alice-key", "none-key", 1), now, 1},
		"no key":             {"/a", strings.Replace(good, "alice-key", "", 1), now, 1},
		"key with a quote":   {"/a", strings.Replace(good, "alice-key", `alice-key",headers="x",keyId="`, 1), now, 1},
		"headers twice":      {"/a", good + `,headers="x"`, now, 1},
		"algorithm twice":    {"/a", good + `,Algorithm="hmac-sha1"`, now, 1},
		"other algorithm":    {"/a", strings.Replace(good, "sha256", "sha1", 1), now, 1},
		"unknown algorithm":  {"/a", strings.Replace(good, "hmac-sha256", "none", 1), now, 1},
		"truncated":          {"/a", good[:len(good)-8] + `"`, now, 1},
		"empty signature":    {"/a", good[:strings.Index(good, "signature=")] + `signature=""`, now, 1},
		"not closed":         {"/a", good[:len(good)-1], now, 1},
		"other scheme":       {"/a", strings.Replace(good, "Signature ", "Bearer ", 1), now, 1},
		"garbage":            {"/a", `Authorization: Signature ,,="",`, now, 1},
	} {
		t.Run(name, func(t *testing.T) {
			g := hmacGate(t, time.Minute)
			x := g.exchange(c.url, "Date: "+c.date, c.field)
			g.refuses(t, x, http.StatusBadRequest, hmacRefused, c.events, hmacSecret)
		})
	}
	g := hmacGate(t, time.Minute)
	g.passes(t, g.exchange("/a", "Date: "+now, good))
	g = hmacGate(t, time.Minute, "hmac-sha512")
	g.refuses(t, g.exchange("/a", "Date: "+now, good), http.StatusBadRequest, hmacRefused, 1)
}

// TestHMACReplay: a request passes again only within the clock skew, in both
// directions. X-Aux-Date stands for Date where it is given.
func TestHMACReplay(t *testing.T) {
	g := hmacGate(t, time.Minute)
	for off, pass := range map[time.Duration]bool{0: true, -50 * time.Second: true, -70 * time.Second: false, 50 * time.Second: true, 70 * time.Second: false} {
		at := time.Now().Add(off).UTC().Format(http.TimeFormat)
		for header, text := range map[string]string{"Date": "date: ", "X-Aux-Date": "x-aux-date: "} {
			for _, zone := range []string{"GMT", "UTC"} {
				at := strings.Replace(at, "GMT", zone, 1)
				x := g.exchange("/", header+": "+at, sign(hmacSecret, text+at, "date"))
				if header == "X-Aux-Date" {
					x.Request.Header.Set("Date", hmacDate) // does not count
				}
				if pass {
					g.passes(t, x)
				} else {
					g.refuses(t, x, http.StatusBadRequest, hmacRefused, 1)
				}
			}
		}
	}
	x := g.exchange("/", "Date: yesterday", sign(hmacSecret, "date: yesterday", "date"))
	g.refuses(t, x, http.StatusBadRequest, hmacRefused, 1)
}

// TestHMACDigest: a signed digest is that of the body, which stays readable.
func TestHMACDigest(t *testing.T) {
	g := hmacGate(t, 0)
	sum := sha256.Sum256([]byte("the body"))
	right := "SHA-256=" + base64.StdEncoding.EncodeToString(sum[:])
	for _, c := range []struct {
		digest, body string
		pass         bool
	}{
		{right, "the body", true},
		{"unixsum=30637, " + right, "the body", true},
		{right, "another body", false},
		{right, "", false},
		{"SHA-256=", "the body", false},
		{"MD5=abc", "the body", false},
		{right + ", SHA-512=abc", "the body", false},
	} {
		x := g.exchange("/", "Digest: "+c.digest, sign(hmacSecret, "digest: "+c.digest, "digest"))
		body := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		x.Request.Body, x.Request.ContentLength = body.Body, body.ContentLength
		if !c.pass {
			g.refuses(t, x, http.StatusBadRequest, hmacRefused, 1)
			continue
		}
		g.passes(t, x)
		if b, err := x.Body(); err != nil || string(b) != c.body {
			t.Errorf("body %q, %v", b, err)
		}
	}
}

// TestHMACHost: the host can be signed, though it is no header field in net/http.
func TestHMACHost(t *testing.T) {
	g := hmacGate(t, 0)
	field := sign(hmacSecret, "host: shop.example", "Host")
	g.passes(t, g.exchange("http://shop.example/", field))
	g.refuses(t, g.exchange("http://evil.example/", field), http.StatusBadRequest, hmacRefused, 1)
}
