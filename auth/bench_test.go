package auth

import (
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
)

// run measures the method on the same request, over and over.
func (g *gate) run(b *testing.B, x *grapnel.Exchange) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		x.Session = nil
		if _, err := g.Authenticate(x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkToken(b *testing.B) {
	g := tokenGate(b, grapnel.Credential{Header: "Authorization"})
	g.save(b, "the-key-of-alice", grapnel.Session{})
	g.run(b, g.exchange("/", "Authorization: Bearer the-key-of-alice"))
}

func BenchmarkBasic(b *testing.B) {
	g := basicGate(b)
	g.addUser(b, "alice", "bcrypt", bcryptOf(b, "secret"))
	g.run(b, g.exchange("/", encodePair("alice:secret")))
}

func BenchmarkHMAC(b *testing.B) {
	g := hmacGate(b, 0)
	g.run(b, g.exchange("/", "Date: "+hmacDate, sign(hmacSecret, "date: "+hmacDate, "date")))
}

func BenchmarkJWT(b *testing.B) {
	all := pairs(b)
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		b.Run(algorithm, func(b *testing.B) {
			g := jwtGate(b, func(c *grapnel.JWTAuth) {
				c.Algorithms, c.PublicKey = []string{algorithm}, publicPEM(b, all[kindOf(algorithm)].Public())
			})
			g.run(b, g.bearing(signToken(b, algorithm, all[kindOf(algorithm)], lively(), nil)))
		})
	}
	b.Run("HS256", func(b *testing.B) {
		g := identityGate(b, nil)
		g.run(b, g.bearing(issued(b, lively())))
	})
	b.Run("HS256 with policies", func(b *testing.B) {
		g := identityGate(b, func(c *grapnel.JWTAuth) { c.DefaultPolicies = []string{"gold"} })
		g.run(b, g.bearing(issued(b, lively())))
	})
	b.Run("RS256 JWKS", func(b *testing.B) {
		i := newIssuer(b)
		i.publishes(b, map[string]any{"1": all["RSA"].Public()})
		g := jwksGate(b, time.Hour, 0, i)
		g.run(b, g.bearing(signToken(b, "RS256", all["RSA"], lively(), kid("1"))))
	})
}
