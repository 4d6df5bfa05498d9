package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
)

// A List is certificates that count by themselves, whoever has signed them.
type List struct {
	own   fingerprints
	files *Files[fingerprints]
}

type fingerprints map[[sha256.Size]byte]bool

// OpenList makes a list of SHA-256 fingerprints, and of the certificates in PEM
// files, which are read again when they change.
func OpenList(sums, files []string, log *slog.Logger) (*List, error) {
	l := &List{own: fingerprints{}}
	for _, text := range sums {
		sum, err := parseFingerprint(text)
		if err != nil {
			return nil, err
		}
		l.own[sum] = true
	}
	var err error
	l.files, err = Open(log, func() (fingerprints, error) { return readFingerprints(files) }, files...)
	return l, err
}

// Has reports whether a certificate is on the list now.
func (l *List) Has(c *x509.Certificate) bool {
	sum := sha256.Sum256(c.Raw)
	return l.own[sum] || l.files.Get()[sum]
}

// parseFingerprint reads 64 hexadecimal digits; colons between them are as
// openssl prints them.
func parseFingerprint(text string) (sum [sha256.Size]byte, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(b) != len(sum) {
		return sum, fmt.Errorf("%q is not a SHA-256 fingerprint: 64 hexadecimal digits", text)
	}
	return [sha256.Size]byte(b), nil
}

func readFingerprints(files []string) (fingerprints, error) {
	all := fingerprints{}
	for _, file := range files {
		certs, err := Read(file)
		if err != nil {
			return nil, err
		}
		for _, c := range certs {
			all[sha256.Sum256(c.Raw)] = true
		}
	}
	return all, nil
}
