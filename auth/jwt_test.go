package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// signToken makes a token as an issuer would.
func signToken(t testing.TB, algorithm string, key any, c claims, header map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	protected := jws.NewHeaders()
	for name, value := range header {
		if err := protected.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	alg, ok := jwa.LookupSignatureAlgorithm(algorithm)
	if !ok {
		t.Fatalf("no algorithm %s", algorithm)
	}
	out, err := jws.Sign(payload, jws.WithKey(alg, key, jws.WithProtectedHeaders(protected)))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// forge makes a token with a header of any kind, signed by HMAC with the secret.
func forge(header, payload string, secret []byte) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func publicPEM(t testing.TB, public crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

type keyPair interface{ Public() crypto.PublicKey }

// pairs are a key of each kind.
func pairs(t testing.TB) map[string]keyPair {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]keyPair{"RSA": r}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		if out[name], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	_, e, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	out["Ed25519"] = e
	return out
}

// kindOf is the kind of key that an algorithm needs.
func kindOf(algorithm string) string {
	switch algorithm {
	case "ES256":
		return "P-256"
	case "ES384":
		return "P-384"
	case "ES512":
		return "P-521"
	case "EdDSA":
		return "Ed25519"
	}
	return "RSA"
}

func jwtGate(t testing.TB, change func(*grapnel.JWTAuth), policies ...*grapnel.Policy) *gate {
	t.Helper()
	var c grapnel.JWTAuth
	c.SetDefaults()
	change(&c)
	return newGate(t, grapnel.AuthMethod{JWT: &c}, policies...)
}

func (g *gate) bearing(token string) *grapnel.Exchange {
	return g.exchange("/", "Authorization: Bearer "+token)
}

// lively are claims that hold for an hour.
func lively(more ...any) claims {
	c := claims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()}
	for i := 0; i < len(more); i += 2 {
		c[more[i].(string)] = more[i+1]
	}
	return c
}

// TestJWTAlgorithms: each algorithm takes its own tokens, and no token that was
// signed with another algorithm or key, whatever the token says.
func TestJWTAlgorithms(t *testing.T) {
	good, others := pairs(t), pairs(t)
	public := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	for _, algorithm := range public {
		t.Run(algorithm, func(t *testing.T) {
			pair := good[kindOf(algorithm)]
			g := jwtGate(t, func(c *grapnel.JWTAuth) {
				c.Algorithms, c.PublicKey = []string{algorithm}, publicPEM(t, pair.Public())
			})
			token := signToken(t, algorithm, pair, lively(), nil)
			if s := g.passes(t, g.bearing(token)); s.Alias != "alice" {
				t.Errorf("session of %q", s.Alias)
			}
			for _, other := range public {
				if other != algorithm {
					g.refuses(t, g.bearing(signToken(t, other, good[kindOf(other)], lively(), nil)), http.StatusForbidden, tokenMethod, 1)
				}
			}
			foreign := signToken(t, algorithm, others[kindOf(algorithm)], lively(), nil)
			g.refuses(t, g.bearing(foreign), http.StatusForbidden, tokenRefused, 1, foreign)
		})
	}
	for _, algorithm := range []string{"HS256", "HS384", "HS512"} {
		g := jwtGate(t, func(c *grapnel.JWTAuth) {
			c.Algorithms, c.Secret = []string{"HS256", "HS384", "HS512"}, "a-secret-that-is-long-enough-for-sha-512-or-nearly-so-it-seems-ok"
		})
		g.passes(t, g.bearing(signToken(t, algorithm, []byte("a-secret-that-is-long-enough-for-sha-512-or-nearly-so-it-seems-ok"), lively(), nil)))
		g.refuses(t, g.bearing(signToken(t, algorithm, []byte("another-secret-that-is-long-enough-for-sha-512-or-nearly-so-it-s"), lively(), nil)), http.StatusForbidden, tokenRefused, 1)
	}
}

// TestJWTAttacks: tokens that were made to slip through.
func TestJWTAttacks(t *testing.T) {
	pair := pairs(t)["RSA"]
	public := publicPEM(t, pair.Public())
	g := jwtGate(t, func(c *grapnel.JWTAuth) { c.Algorithms, c.PublicKey = []string{"RS256"}, public })
	const payload = `{"sub":"alice","exp":99999999999}`
	valid := signToken(t, "RS256", pair, lively(), nil)
	parts := strings.Split(valid, ".")
	der, _ := pem.Decode([]byte(public))
	for name, c := range map[string]struct{ token, message string }{
		"alg none":                  {strings.TrimRight(forge(`{"alg":"none"}`, payload, nil), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"), tokenMethod},
		"alg None":                  {forge(`{"alg":"None"}`, payload, nil), tokenMethod},
		"no alg":                    {forge(`{}`, payload, nil), tokenMethod},
		"public key as secret, PEM": {forge(`{"alg":"HS256"}`, payload, []byte(public)), tokenMethod},
		"public key as secret, DER": {forge(`{"alg":"HS256"}`, payload, der.Bytes), tokenMethod},
		"RS256 signed by HMAC":      {forge(`{"alg":"RS256"}`, payload, []byte(public)), tokenRefused},
		"lower case alg":            {forge(`{"alg":"rs256"}`, payload, []byte(public)), tokenMethod},
		"alg of another type":       {forge(`{"alg":["RS256"]}`, payload, nil), tokenRefused},
		"other claims":              {parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + "." + parts[2], tokenRefused},
		"no signature":              {parts[0] + "." + parts[1] + ".", tokenRefused},
		"truncated signature":       {valid[:len(valid)-4], tokenRefused},
		"two parts":                 {parts[0] + "." + parts[1], tokenRefused},
		"four parts":                {valid + ".x", tokenRefused},
		"five parts (encrypted)":    {"a.b.c.d.e", tokenRefused},
		"key of its own":            {signToken(t, "RS256", pairs(t)["RSA"], lively(), map[string]any{"jku": "https://evil.example/keys", "x5u": "https://evil.example/c"}), tokenRefused},
		"critical extension":        {signToken(t, "RS256", pair, lively(), map[string]any{"crit": []string{"exp"}, "exp": 1}), tokenRefused},
		"JSON serialisation":        {`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, tokenRefused},
		"claims that are a list":    {forge(`{"alg":"RS256"}`, `[]`, nil), tokenRefused},
		"claims that are null":      {forge(`{"alg":"RS256"}`, `null`, nil), tokenRefused},
		"two documents":             {forge(`{"alg":"RS256"}`, `{}{}`, nil), tokenRefused},
		"garbage":                   {"%%%.%%%.%%%", tokenRefused},
	} {
		t.Run(name, func(t *testing.T) { g.refuses(t, g.bearing(c.token), http.StatusForbidden, c.message, 1, c.token) })
	}
	g.refuses(t, g.exchange("/"), http.StatusBadRequest, tokenMissing, 0)
	g.refuses(t, g.exchange("/", "Authorization: Bearer "), http.StatusBadRequest, tokenMissing, 0)
	g.passes(t, g.bearing(valid))
	g.passes(t, g.exchange("/", "Authorization: "+valid)) // without the scheme
}

// TestJWTClaims: times, issuer and audience, with the skew of each [7.2].
func TestJWTClaims(t *testing.T) {
	secret := "a-secret-for-the-claims-of-tokens"
	now := time.Now().Unix()
	for name, c := range map[string]struct {
		change func(*grapnel.JWTAuth)
		claims claims
		reason string // empty passes
	}{
		"expired":                {nil, lively("exp", now-1), "token has expired"},
		"expired, within skew":   {func(c *grapnel.JWTAuth) { c.ClockSkew = grapnel.Duration(10 * time.Second) }, lively("exp", now-5), ""},
		"expired, its own skew":  {func(c *grapnel.JWTAuth) { c.Skew.ExpiresAt = grapnel.Duration(10 * time.Second) }, lively("exp", now-5), ""},
		"expired, another skew":  {func(c *grapnel.JWTAuth) { c.Skew.NotBefore = grapnel.Duration(time.Hour) }, lively("exp", now-5), "token has expired"},
		"not yet valid":          {nil, lively("nbf", now+60), "token is not valid yet"},
		"not yet, its own skew":  {func(c *grapnel.JWTAuth) { c.Skew.NotBefore = grapnel.Duration(2 * time.Minute) }, lively("nbf", now+60), ""},
		"from the future":        {nil, lively("iat", now+60), "token used before issued"},
		"future, its own skew":   {func(c *grapnel.JWTAuth) { c.Skew.IssuedAt = grapnel.Duration(2 * time.Minute) }, lively("iat", now+60), ""},
		"never expires":          {nil, claims{"sub": "alice"}, "token never expires"},
		"may never expire":       {func(c *grapnel.JWTAuth) { c.RequireExpiry = false }, claims{"sub": "alice"}, ""},
		"exp is text":            {nil, lively("exp", "99999999999"), "token has a time that is none"},
		"exp is null":            {nil, lively("exp", nil), "token has a time that is none"},
		"exp is huge":            {nil, lively("exp", json.Number("1e999")), "token has a time that is none"},
		"exp is a fraction":      {nil, lively("exp", float64(now)+30.5), ""},
		"other issuer":           {func(c *grapnel.JWTAuth) { c.Issuer = "https://id.example" }, lively("iss", "https://id.example/"), "token has invalid issuer"},
		"no issuer":              {func(c *grapnel.JWTAuth) { c.Issuer = "https://id.example" }, lively(), "token has invalid issuer"},
		"issuer is a list":       {func(c *grapnel.JWTAuth) { c.Issuer = "https://id.example" }, lively("iss", []string{"https://id.example"}), "token has invalid issuer"},
		"issuer":                 {func(c *grapnel.JWTAuth) { c.Issuer = "https://id.example" }, lively("iss", "https://id.example"), ""},
		"other audience":         {func(c *grapnel.JWTAuth) { c.Audience = []string{"orders", "shop"} }, lively("aud", "order"), "token has invalid audience"},
		"no audience":            {func(c *grapnel.JWTAuth) { c.Audience = []string{"orders"} }, lively(), "token has invalid audience"},
		"audience":               {func(c *grapnel.JWTAuth) { c.Audience = []string{"orders", "shop"} }, lively("aud", "shop"), ""},
		"audience among several": {func(c *grapnel.JWTAuth) { c.Audience = []string{"shop"} }, lively("aud", []string{"a", "shop"}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := jwtGate(t, func(j *grapnel.JWTAuth) {
				j.Algorithms, j.Secret = []string{"HS256"}, secret
				if c.change != nil {
					c.change(j)
				}
			})
			payload, err := json.Marshal(c.claims)
			if err != nil {
				t.Fatal(err)
			}
			x := g.bearing(forge(`{"alg":"HS256"}`, string(payload), []byte(secret)))
			if c.reason == "" {
				g.passes(t, x)
				return
			}
			g.refuses(t, x, http.StatusUnauthorized, "Key not authorized: "+c.reason, 1, secret)
		})
	}
}

// TestJWTConfig: what could be abused, or lets nobody in, is an error at load.
func TestJWTConfig(t *testing.T) {
	public := publicPEM(t, pairs(t)["P-256"].Public())
	for _, c := range []grapnel.JWTAuth{
		{},
		{Algorithms: []string{"none"}},
		{Algorithms: []string{"ES256K"}},
		{Algorithms: []string{"HS256", "RS256"}, Secret: "x"},
		{Algorithms: []string{"HS256"}, JWKS: []*grapnel.URL{{}}},
		{Algorithms: []string{"RS256"}, PublicKey: "x"},
		{Algorithms: []string{"RS256"}, PublicKey: strings.Replace(public, "M", "N", 1)},
	} {
		if _, err := New(&grapnel.API{}, grapnel.AuthMethod{JWT: &c}, nil, nil, nil); err == nil {
			t.Errorf("accepted: %+v", c)
		}
	}
}
