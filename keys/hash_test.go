package keys

import (
	"fmt"
	"math/bits"
	"testing"

	"github.com/twmb/murmur3"
	"pgregory.net/rapid"
)

// TestHash: the recorded hashes of the original [S-31, S-62, S-62a].
func TestHash(t *testing.T) {
	for _, c := range []struct{ algorithm, key, want string }{
		{"murmur64", "abc", "b4963f3f3fad7867"},
		{"murmur128", "abc", "b4963f3f3fad78673ba2744126ca2d52"},
		{"sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"murmur64", "eyJvcmciOiI1ZTlkOTU0NGExZGNkNjAwMDFkMGVkMjAiLCJpZCI6ImdycGNfaG1hY19rZXkiLCJoIjoibXVybXVyNjQifQ==", "a72fcdc09caa86b5"},
		{"murmur64", "eyJvcmciOiJkZWZhdWx0IiwiaWQiOiI5MDAxNTA5ODNjZDI0ZmIwZDY5NjNmN2QyOGUxN2Y3MiIsImgiOiJtdXJtdXI2NCJ9", "bd081b544f198d13"},
		{"murmur32", "abc", "00000000"},
		{"murmur32", "default", "2f25c839"},
		{"murmur32", "rest-key-1", "005ed72e"},
		{"murmur32", "rest-key-2", "005ed72e"},
		{"murmur32", "defaultrest-key-1", "377377da"},
		{"murmur32", "defaultrest-key-2", "377377da"},
		{"murmur32", "default900150983cd24fb0d6963f7d28e17f72", "76e68408"},
	} {
		if got, ok := Hash(c.algorithm, c.key); !ok || got != c.want {
			t.Errorf("%s of %s is %s, %v; want %s", c.algorithm, c.key, got, ok, c.want)
		}
	}
	if _, ok := Hash("md5", "abc"); ok {
		t.Error("md5 is known")
	}
}

// finished32 mixes in what the original leaves out [S-62a].
func finished32(key string) uint32 {
	h, tail := unfinished32(key), key[len(key)&^3:]
	var k uint32
	for i := len(tail) - 1; i >= 0; i-- {
		k = k<<8 | uint32(tail[i])
	}
	h ^= bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
	h ^= uint32(len(key))
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// TestMurmur32IsUnfinished: finished, the original's hash is MurmurHash3, whose
// figures S-62 gives.
func TestMurmur32IsUnfinished(t *testing.T) {
	for key, want := range map[string]string{
		"abc": "b3dd93fa", "hello world": "5e928f0f", "default900150983cd24fb0d6963f7d28e17f72": "6d08df5e",
	} {
		if got := fmt.Sprintf("%08x", finished32(key)); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringN(0, 60, -1).Draw(t, "key")
		if got, want := finished32(key), murmur3.StringSum32(key); got != want {
			t.Fatalf("%08x, want %08x", got, want)
		}
		if cut := key[:len(key)&^3]; unfinished32(key) != unfinished32(cut) {
			t.Fatalf("the end of %q counts", key)
		}
	})
}

// TestAlgorithm: a key names its own hash; what names none has murmur32 [S-61].
func TestAlgorithm(t *testing.T) {
	for key, want := range map[string]string{
		Token("o", "i", "sha256"):    "sha256",
		Token("o", "i", "murmur64"):  "murmur64",
		Token("o", "i", "murmur128"): "murmur128",
		Token("o", "i", ""):          "murmur32",
		"opaque":                     "murmur32",
		"eyJub3RoaW5nIjp0cnVlfQ==":   "murmur32",
	} {
		if got := Algorithm(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}

// TestToken: the forms of generated keys [S-60, I-10].
func TestToken(t *testing.T) {
	for _, c := range []struct{ org, id, function, want string }{
		{"default", "900150983cd24fb0d6963f7d28e17f72", "", "default900150983cd24fb0d6963f7d28e17f72"},
		{"default", "900150983cd24fb0d6963f7d28e17f72", "murmur64", "eyJvcmciOiJkZWZhdWx0IiwiaWQiOiI5MDAxNTA5ODNjZDI0ZmIwZDY5NjNmN2QyOGUxN2Y3MiIsImgiOiJtdXJtdXI2NCJ9"},
		{"5e9d9544a1dcd60001d0ed20", "grpc_hmac_key", "murmur64", "eyJvcmciOiI1ZTlkOTU0NGExZGNkNjAwMDFkMGVkMjAiLCJpZCI6ImdycGNfaG1hY19rZXkiLCJoIjoibXVybXVyNjQifQ=="},
		{"default", "900150983cd24fb0d6963f7d28e17f72", "crc", "eyJvcmciOiJkZWZhdWx0IiwiaWQiOiI5MDAxNTA5ODNjZDI0ZmIwZDY5NjNmN2QyOGUxN2Y3MiIsImgiOiJtdXJtdXI2NCJ9"},
	} {
		if got := Token(c.org, c.id, c.function); got != c.want {
			t.Errorf("token of %s, %s, %q is %s, want %s", c.org, c.id, c.function, got, c.want)
		}
	}
	first, second := Token("o", "", ""), Token("o", "", "")
	if len(first) != 33 || first == second || first[13] != '4' {
		t.Errorf("new keys %s and %s: want the organisation and 32 digits of a random UUID", first, second)
	}
	hostile := `x","org":"other`
	if got, ok := parse(Token("mine", hostile, "sha256")); !ok || got.Org != "mine" || got.ID != hostile {
		t.Errorf("an id changed the token that it is in: %+v", got)
	}
}

// TestBears: which keys say whose they are [Z-2].
func TestBears(t *testing.T) {
	const org = "5e9d9544a1dcd60001d0ed20"
	for _, c := range []struct {
		key, org string
		want     bool
	}{
		{Token("default", "i", "sha256"), "default", true},
		{Token("other", "i", "sha256"), "default", false},
		{org + "0123", org, true},
		{"5e9d9544a1dcd60001d0ed21" + "0123", org, false},
		{org, org, false},
		{"default0123", "default", false},
		{"opaque", "", false},
	} {
		if got := bears(c.key, c.org); got != c.want {
			t.Errorf("%s bears %s: %v", c.key, c.org, got)
		}
	}
}
