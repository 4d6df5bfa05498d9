package auth

import (
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/grapnel-gateway/grapnel"
	"golang.org/x/crypto/bcrypt"
)

func basicGate(t testing.TB) *gate {
	g := newGate(t, grapnel.AuthMethod{Basic: &grapnel.BasicAuth{Header: "Authorization"}})
	g.Authenticator.(*basic).passwords.nobody = []byte(bcryptOf(t, "nobody")) // quick, but where time is measured
	return g
}

func encodePair(pair string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

func (g *gate) addUser(t testing.TB, name, kind, stored string) {
	t.Helper()
	g.save(t, g.keys.Token(org, name), grapnel.Session{Alias: name, BasicAuthData: grapnel.BasicAuthData{Password: stored, Hash: kind}})
}

func bcryptOf(t testing.TB, password string) string {
	t.Helper()
	b, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestBasicHashes: each kind of stored password lets its own in, and no other.
// The argon2id vector is that of the reference implementation, the digests of
// the original's kinds are those of S-62.
func TestBasicHashes(t *testing.T) {
	for kind, c := range map[string]struct{ password, stored string }{
		"bcrypt":    {"pass:word", bcryptOf(t, "pass:word")},
		"argon2id":  {"password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
		"":          {"plain text", "plain text"},
		"sha256":    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		"murmur64":  {"abc", "b4963f3f3fad7867"},
		"murmur128": {"abc", "b4963f3f3fad78673ba2744126ca2d52"},
	} {
		t.Run(kind, func(t *testing.T) {
			g := basicGate(t)
			g.addUser(t, "alice", kind, c.stored)
			for range 2 { // the second time from memory
				if s := g.passes(t, g.exchange("/", encodePair("alice:"+c.password))); s.Alias != "alice" {
					t.Errorf("session of %q", s.Alias)
				}
			}
			for _, wrong := range []string{c.password + "x", c.password[1:], "", c.stored + " "} {
				g.refuses(t, g.exchange("/", encodePair("alice:"+wrong)), http.StatusUnauthorized, "User not authorised", 1, c.stored, c.password)
			}
			if kind != "" { // the hash is not the password
				g.refuses(t, g.exchange("/", encodePair("alice:"+c.stored)), http.StatusUnauthorized, "User not authorised", 1)
			}
		})
	}
}

// TestBasicStoredHashes: what cannot be compared lets nobody in; murmur32 is such
// a kind, since many passwords have the same one [S-62a].
func TestBasicStoredHashes(t *testing.T) {
	const digest = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, c := range []grapnel.BasicAuthData{
		{Hash: "bcrypt"}, {}, {Hash: "murmur32", Password: "00000000"}, {Hash: "md5", Password: "x"}, {Hash: "bcrypt", Password: "password"},
		{Hash: "argon2id", Password: "password"},
		{Hash: "argon2id", Password: "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"},
		{Hash: "argon2id", Password: "$argon2id$v=16$m=65536,t=2,p=1" + digest},
		{Hash: "argon2id", Password: "$argon2id$v=19$m=65536,t=2,p=0" + digest},
		{Hash: "argon2id", Password: "$argon2id$v=19$m=65536,t=0,p=1" + digest},
		{Hash: "argon2id", Password: "$argon2id$v=19$m=4294967295,t=2,p=1" + digest},
		{Hash: "argon2id", Password: "$argon2id$v=19$m=65536,t=4000000000,p=1" + digest},
	} {
		g := basicGate(t)
		g.addUser(t, "alice", c.Hash, c.Password)
		g.refuses(t, g.exchange("/", encodePair("alice:password")), http.StatusUnauthorized, "User not authorised", 1)
		g.refuses(t, g.exchange("/", encodePair("alice:")), http.StatusUnauthorized, "User not authorised", 1)
	}
}

// TestBasicForms: the texts of S-43, the realm, and nothing that tells a wrong
// password from an unknown user.
func TestBasicForms(t *testing.T) {
	g := basicGate(t)
	g.addUser(t, "alice", "bcrypt", bcryptOf(t, "secret"))
	const realm = `Basic realm="The \"Orders\""`
	const malformed = "Attempted access with malformed header, "
	for field, want := range map[string]struct {
		status  int
		message string
		events  int
	}{
		"X: y":                                 {401, "Authorization field missing", 0},
		"Authorization: Bearer abc":            {400, malformed + "header not in basic auth format", 1},
		"Authorization: Basic":                 {400, malformed + "header not in basic auth format", 1},
		"Authorization: Basic ???":             {400, malformed + "auth data not encoded correctly", 1},
		"Authorization: Basic c2VjcmV0":        {400, malformed + "values not in basic auth format", 1},
		encodePair("alice:wrong"):              {401, "User not authorised", 1},
		encodePair("nobody:wrong"):             {401, "User not authorised", 1},
		encodePair(":"):                        {401, "User not authorised", 1},
		encodePair("alice\x00:secret"):         {401, "User not authorised", 1},
		encodePair(g.keys.Token(org, "alice")): {400, malformed + "values not in basic auth format", 1},
	} {
		e := g.refuses(t, g.exchange("/", field), want.status, want.message, want.events, "secret", "wrong")
		if asked := e.Header.Get("WWW-Authenticate"); (want.status == 401) != (asked == realm) {
			t.Errorf("%s: WWW-Authenticate %q", field, asked)
		}
	}
}

// TestBasicPasswordChanges: a right password that was remembered is worth nothing
// once the stored one has changed.
func TestBasicPasswordChanges(t *testing.T) {
	g := basicGate(t)
	g.addUser(t, "alice", "bcrypt", bcryptOf(t, "old"))
	g.passes(t, g.exchange("/", encodePair("alice:old")))
	g.addUser(t, "alice", "bcrypt", bcryptOf(t, "new"))
	g.refuses(t, g.exchange("/", encodePair("alice:old")), http.StatusUnauthorized, "User not authorised", 1)
	g.passes(t, g.exchange("/", encodePair("alice:new")))
}

// TestBasicTiming: an unknown user and a kind of hash that is quick cost as much
// as a good hash; a password that was right before costs next to nothing.
func TestBasicTiming(t *testing.T) {
	slow, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	shortest := map[string]time.Duration{} // of several, since others use the machine too
	for range 3 {
		g := basicGate(t)
		g.Authenticator.(*basic).passwords.nobody = []byte(nobody)
		g.addUser(t, "quick", "", "plain")
		g.addUser(t, "alice", "bcrypt", string(slow))
		for _, c := range []struct{ name, pair string }{
			{"right", "alice:secret"}, {"remembered", "alice:secret"},
			{"wrong", "alice:x"}, {"unknown", "nobody:x"}, {"quick hash", "quick:x"},
		} {
			start := time.Now()
			g.Authenticate(g.exchange("/", encodePair(c.pair)))
			took := time.Since(start)
			if least, ok := shortest[c.name]; !ok || took < least {
				shortest[c.name] = took
			}
		}
	}
	right := shortest["right"]
	for name, took := range shortest {
		if known := name == "remembered"; known != (took < right/3) {
			t.Errorf("%s took %s, a right password %s", name, took, right)
		}
	}
}
