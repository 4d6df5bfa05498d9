package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An issuer signs certificates and lists.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate; without an issuer it signs itself.
func (i *issuer) issue(t *testing.T, name string, serial int64, ca bool) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, SubjectKeyId: []byte{byte(serial)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: ca, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if ca {
		form.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	parent, signer := form, key
	if i != nil {
		parent, signer = i.cert, i.key
	}
	der, err := x509.CreateCertificate(rand.Reader, form, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{cert, key}
}

// list makes a revocation list, of which change changes the form.
func (i *issuer) list(t *testing.T, change func(*x509.RevocationList), revoked ...*issuer) []byte {
	t.Helper()
	form := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	for _, r := range revoked {
		form.RevokedCertificateEntries = append(form.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: r.cert.SerialNumber, RevocationTime: time.Now()})
	}
	if change != nil {
		change(form)
	}
	der, err := x509.CreateRevocationList(rand.Reader, form, i.cert, i.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func asPEM(kind string, ders ...[]byte) (text []byte) {
	for _, der := range ders {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	return text
}

func write(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// A certificate does not count when it or one above it is on its authority's
// latest list, or when that is out of date or missing.
func TestRevoked(t *testing.T) {
	root := (*issuer)(nil).issue(t, "root", 1, true)
	between, gone := root.issue(t, "between", 2, true), root.issue(t, "gone", 3, true)
	good, bad, lost, unlisted := between.issue(t, "good", 4, false), between.issue(t, "bad", 5, false), gone.issue(t, "lost", 6, false), root.issue(t, "unlisted", 5, false)
	older := func(l *x509.RevocationList) { l.ThisUpdate = l.ThisUpdate.Add(-time.Hour) }
	due := func(l *x509.RevocationList) { l.NextUpdate = time.Now().Add(-time.Minute) }
	open := func(lists ...[]byte) *Authorities {
		var files []string
		for _, l := range lists {
			files = append(files, write(t, l))
		}
		a, err := OpenAuthorities(write(t, asPEM("CERTIFICATE", root.cert.Raw, between.cert.Raw)), files, discard())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	// The root's in PEM, the other's as it is, and one that the newer one replaces.
	a := open(asPEM("X509 CRL", root.list(t, nil, gone)), between.list(t, older, good), between.list(t, nil, bad))
	for _, c := range []struct {
		leaf   *issuer
		others []*x509.Certificate
		want   error
	}{
		{good, nil, nil},
		{bad, nil, ErrRevoked},
		{unlisted, nil, nil}, // the same number, from another authority
		{lost, []*x509.Certificate{gone.cert}, ErrNoList},
		{gone, nil, ErrRevoked},
	} {
		if err := a.Verify(c.leaf.cert, c.others); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.leaf.cert.Subject, err, c.want)
		}
	}
	if err := open(root.list(t, due), between.list(t, nil)).Verify(good.cert, nil); !errors.Is(err, ErrNoList) {
		t.Errorf("with an old list of the root: %v", err)
	}
	if err := open(root.list(t, nil, between), between.list(t, nil)).Verify(good.cert, nil); !errors.Is(err, ErrRevoked) {
		t.Errorf("with an authority that the root has revoked: %v", err)
	}
	stranger := (*issuer)(nil).issue(t, "root", 1, true).issue(t, "good", 4, false)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](a.Verify(stranger.cert, nil)); !ok {
		t.Error("someone with the name of the authority stands for it")
	}
}

// Lists that do not say all, or whose authority has not signed them, are errors.
func TestListsThatDoNotCount(t *testing.T) {
	root, other := (*issuer)(nil).issue(t, "root", 1, true), (*issuer)(nil).issue(t, "root", 1, true)
	critical := func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}} // a delta
	}
	both := write(t, asPEM("CERTIFICATE", root.cert.Raw, other.cert.Raw))
	one := write(t, asPEM("CERTIFICATE", root.cert.Raw))
	for name, c := range map[string]struct {
		ca, want string
		list     []byte
	}{
		"a delta":           {one, "critical extension 2.5.29.27", root.list(t, critical)},
		"someone else's":    {one, "no authority has signed", other.list(t, nil)},
		"not for everyone":  {both, "there is no revocation list from CN=root", root.list(t, nil)},
		"nothing of a list": {one, "malformed", []byte("nothing")},
		"a certificate":     {one, "malformed", asPEM("CERTIFICATE", root.cert.Raw)},
	} {
		if _, err := OpenAuthorities(c.ca, []string{write(t, c.list)}, discard()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := OpenAuthorities(one, nil, discard()); err != nil {
		t.Errorf("without lists: %v", err)
	}
}

// Files are read again when they change; what cannot be read changes nothing.
func TestFiles(t *testing.T) {
	file := write(t, []byte("one"))
	f, err := Open(discard(), func() (string, error) {
		text, err := os.ReadFile(file)
		if string(text) == "broken" {
			err = errors.New("broken")
		}
		return string(text), err
	}, file)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ text, want string }{{"broken", "one"}, {"three", "three"}} {
		if err := os.WriteFile(file, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f.checked = time.Time{} // a second has passed
		if got := f.Get(); got != step.want {
			t.Errorf("%q after %q was written", got, step.text)
		}
	}
	if _, err := Open(discard(), func() (string, error) { return "", nil }, file+".gone"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
