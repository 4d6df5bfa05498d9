package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/pki"
)

// certificates are the gateway's own. Their files are read again when they
// change, so that a renewed certificate needs no reload.
type certificates []*pki.Files[*tls.Certificate]

func newCertificates(files []grapnel.Certificate, log *slog.Logger) (certificates, error) {
	var c certificates
	for _, f := range files {
		pair, err := pki.Pair(f.Cert, f.Key, log)
		if err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		c = append(c, pair)
	}
	if len(c) == 0 {
		return nil, errors.New("tls: no certificate")
	}
	return c, nil
}

// get chooses the certificate for a client: the first that fits the server name
// it asks for and what it supports, or the first of all.
func (c certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	for _, pair := range c {
		if own := pair.Get(); hello.SupportsCertificate(own) == nil {
			return own, nil
		}
	}
	return c[0].Get(), nil
}
