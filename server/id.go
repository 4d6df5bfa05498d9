package server

import (
	"encoding/base32"
	"encoding/binary"
	"math/rand/v2"
)

// newID makes an id for an exchange: 128 random bits, in 26 characters. It is a
// name, not a secret.
func newID() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	var text [26]byte
	base32.HexEncoding.WithPadding(base32.NoPadding).Encode(text[:], b[:])
	return string(text[:])
}

// saneID is the client's id when it is safe to repeat in logs and headers, and
// nothing else.
func saneID(id string) string {
	const longest = 128
	if len(id) > longest {
		return ""
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '=', c == '+':
		default:
			return ""
		}
	}
	return id
}
