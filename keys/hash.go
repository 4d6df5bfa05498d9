package keys

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/bits"

	"github.com/twmb/murmur3"
)

// The hashes of the original that keys may be stored under [S-61].
const (
	sha256Hash = "sha256"
	murmur32   = "murmur32"
	murmur64   = "murmur64"
	murmur128  = "murmur128"
)

// Hash returns the hash of a key in lower-case hexadecimal, as the original
// stores it [S-62, S-62a]. It reports false for an algorithm that it does not
// know.
func Hash(algorithm, key string) (string, bool) {
	switch algorithm {
	case sha256Hash:
		sum := sha256.Sum256([]byte(key))
		return hex.EncodeToString(sum[:]), true
	case murmur32:
		return fmt.Sprintf("%08x", unfinished32(key)), true
	case murmur64:
		high, _ := murmur3.StringSum128(key)
		return fmt.Sprintf("%016x", high), true
	case murmur128:
		high, low := murmur3.StringSum128(key)
		return fmt.Sprintf("%016x%016x", high, low), true
	}
	return "", false
}

// Algorithm is the hash that a key itself names, and murmur32 for a key that
// names none, or one that does not exist [S-61].
func Algorithm(key string) string {
	if t, ok := parse(key); ok {
		if _, known := Hash(t.Function, ""); known {
			return t.Function
		}
	}
	return murmur32
}

// unfinished32 is what the original takes for MurmurHash3-32: it leaves out the
// last zero to three bytes and the finalisation, so that keys which differ only
// there have one hash [S-62a].
func unfinished32(key string) uint32 {
	var h uint32
	for ; len(key) >= 4; key = key[4:] {
		k := uint32(key[0]) | uint32(key[1])<<8 | uint32(key[2])<<16 | uint32(key[3])<<24
		h ^= bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
		h = bits.RotateLeft32(h, 13)*5 + 0xe6546b64
	}
	return h
}
