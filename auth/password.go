package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/grapnel-gateway/grapnel"
	"github.com/maypok86/otter/v2"
	"github.com/twmb/murmur3"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// passwords compares passwords with their stored hashes. Good hashes are slow on
// purpose, so it remembers which passwords were right, and bounds how many it
// works on at once.
type passwords struct {
	// right holds a keyed digest of name, password and stored hash: it
	// tells nothing to who reads the memory, and a password that changes
	// is forgotten.
	right  *otter.Cache[[sha256.Size]byte, struct{}]
	key    [32]byte
	nobody []byte // what the passwords of unknown users are compared with
	slots  chan struct{}
}

// remembered is how many right passwords are remembered.
const remembered = 16 << 10

func newPasswords() *passwords {
	p := &passwords{
		right:  otter.Must(&otter.Options[[sha256.Size]byte, struct{}]{MaximumSize: remembered}),
		nobody: []byte(nobody),
		slots:  make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	rand.Read(p.key[:]) // does not fail [crypto/rand]
	return p
}

// The reasons why a password does not pass.
var (
	errNoPassword    = errors.New("no such user, or one without a password")
	errWrongPassword = errors.New("no match with what is stored")
	errPasswordHash  = errors.New("the stored password cannot be compared")
)

// nobody is the hash that the passwords of unknown users are compared with, to
// take as much time as a user's would. Nothing has this hash but random bytes
// that were thrown away.
const nobody = "$2a$10$SE8Bb3.srJqUeyeW9VI46.Ep8P0VVN0w3GuZEZ2FWO/48SokEi1FK"

// check compares the password with the stored one. It returns nil when it is
// the right one, or why it is not, without telling either.
func (p *passwords) check(ctx context.Context, name, password string, stored grapnel.BasicAuthData) error {
	id := p.digest(name, password, stored.Hash, stored.Password)
	if _, ok := p.right.GetIfPresent(id); ok {
		return nil
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	slow, err := compare(password, stored)
	switch {
	case err != nil && !slow:
		bcrypt.CompareHashAndPassword(p.nobody, []byte(password)) // for the time that it takes
	case err == nil && slow:
		p.right.Set(id, struct{}{})
	}
	return err
}

func (p *passwords) digest(parts ...string) (id [sha256.Size]byte) {
	mac := hmac.New(sha256.New, p.key[:])
	for _, part := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		mac.Write(n[:])
		mac.Write([]byte(part))
	}
	mac.Sum(id[:0])
	return id
}

// compare compares by the kind of the stored hash; slow says that it took as
// long as a good hash does. The kinds without salt are those that the original
// has. Its murmur32 is left out: different passwords have the same one [S-62a].
func compare(password string, stored grapnel.BasicAuthData) (slow bool, err error) {
	if stored.Password == "" {
		return false, errNoPassword
	}
	switch stored.Hash {
	case "bcrypt":
		err := bcrypt.CompareHashAndPassword([]byte(stored.Password), []byte(password))
		switch {
		case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
			return true, errWrongPassword
		case err != nil:
			return false, fmt.Errorf("%w: bcrypt", errPasswordHash)
		}
		return true, nil
	case "argon2id":
		return compareArgon(password, stored.Password)
	case "":
		return false, same(password, stored.Password)
	case "sha256":
		sum := sha256.Sum256([]byte(password))
		return false, same(hex.EncodeToString(sum[:]), stored.Password)
	case "murmur64":
		return false, same(fmt.Sprintf("%016x", murmur3.StringSum64(password)), stored.Password)
	case "murmur128":
		high, low := murmur3.StringSum128(password)
		return false, same(fmt.Sprintf("%016x%016x", high, low), stored.Password)
	}
	return false, fmt.Errorf("%w: unknown hash_type", errPasswordHash)
}

// same compares in a time that does not tell where the texts differ, nor how
// long they are.
func same(a, b string) error {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	if subtle.ConstantTimeCompare(x[:], y[:]) != 1 {
		return errWrongPassword
	}
	return nil
}

// The bounds of what a stored hash may ask for: memory in KiB, passes over it,
// and the length of its digest.
const (
	maxArgonMemory = 1 << 20
	maxArgonPasses = 16
	maxArgonDigest = 128
)

// compareArgon compares with a hash in PHC string form:
// $argon2id$v=19$m=65536,t=3,p=4$salt$digest.
func compareArgon(password, stored string) (slow bool, err error) {
	var version int
	var memory, passes uint32
	var lanes uint8
	var rest string
	broken := fmt.Errorf("%w: argon2id", errPasswordHash)
	if _, err := fmt.Sscanf(stored, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s", &version, &memory, &passes, &lanes, &rest); err != nil {
		return false, broken
	}
	salt64, digest64, _ := strings.Cut(rest, "$")
	salt, saltErr := base64.RawStdEncoding.DecodeString(salt64)
	digest, digestErr := base64.RawStdEncoding.DecodeString(digest64)
	switch {
	case saltErr != nil, digestErr != nil, len(salt) == 0, len(digest) == 0, len(digest) > maxArgonDigest:
		return false, broken
	case version != argon2.Version, lanes == 0, passes == 0, passes > maxArgonPasses, memory > maxArgonMemory:
		return false, broken
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(len(digest)))
	if subtle.ConstantTimeCompare(got, digest) != 1 {
		return true, errWrongPassword
	}
	return true, nil
}
