package config

import (
	"crypto/tls"
	"log/slog"
	"slices"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/pki"
)

// checkClients reports settings for the certificates of clients that cannot be
// met, or that hold for nobody.
func checkClients(t grapnel.TLS, r *report) {
	if t.ClientCertificates != "" {
		oneOf(r, "tls.client_certificates", t.ClientCertificates, "none", "request", "require")
	}
	asks := t.ClientCertificates != "" && t.ClientCertificates != "none"
	if t.ClientCA != "" {
		checkPEM(t.ClientCA, "tls.client_ca", r)
		if !asks {
			r.add("tls.client_ca", "has no effect while tls.client_certificates is none")
		}
	}
	checkRevocation(t.ClientCA, t.ClientCRL, "tls.client_crl", "tls.client_ca", r)
	if l := t.ClientAllowed; l != nil {
		const at = "tls.client_allowed"
		checkList(l.Fingerprints, l.Files, at, r)
		switch {
		case len(l.Fingerprints) == 0 && len(l.Files) == 0:
			r.add(at, "lets nobody in; give fingerprints or files")
		case !asks:
			r.add(at, "has no effect while tls.client_certificates is none")
		}
	}
}

// checkList reports what does not name a certificate.
func checkList(fingerprints, files []string, at string, r *report) {
	for i, f := range fingerprints {
		if _, err := pki.OpenList([]string{f}, nil, nil); err != nil {
			r.add(item(child(at, "fingerprints"), i), "%v", err)
		}
	}
	for i, f := range files {
		if _, err := pki.Read(f); err != nil {
			r.add(item(child(at, "files"), i), "%v", err)
		}
	}
}

// checkRevocation reports revocation lists that are not those of the authorities.
func checkRevocation(ca string, crls []string, at, atCA string, r *report) {
	if len(crls) == 0 {
		return
	}
	if ca == "" {
		r.add(at, "needs %s: the authorities whose lists they are", atCA)
	} else if _, err := pki.OpenAuthorities(ca, crls, slog.New(slog.DiscardHandler)); err != nil {
		r.add(at, "%v", err)
	}
}

// checkUpstreamTLS reports files that cannot be used, and certificates of clients
// that nobody has checked and an upstream would take for proof.
func checkUpstreamTLS(listener grapnel.TLS, a *grapnel.API, path string, r *report) {
	at := child(path, "upstream_tls")
	if a.TLS.CA != "" {
		checkPEM(a.TLS.CA, child(at, "ca"), r)
		if a.InsecureSkipVerify {
			r.add(child(at, "ca"), "has no effect beside insecure_skip_verify")
		}
	}
	checkKeyPair(a.TLS.Cert, a.TLS.Key, at, r)
	listed := slices.ContainsFunc(a.Auth, func(m grapnel.AuthMethod) bool { return m.Certificate != nil })
	if a.ClientCertHeader && listener.ClientCA == "" && listener.ClientAllowed == nil && !listed {
		r.add(child(path, "client_cert_header"), "would tell certificates that nobody has checked; set tls.client_ca or tls.client_allowed, or auth: [{certificate: …}]")
	}
}

// checkAsking reports a method that never sees a certificate.
func checkAsking(t grapnel.TLS, at string, r *report) {
	if len(t.Certificates) == 0 || !slices.Contains([]string{"request", "require"}, t.ClientCertificates) {
		r.add(at, "needs a TLS listener that asks for certificates; set tls.certificates, and tls.client_certificates to request")
	}
}

// checkKeyPair reports a certificate without its key, or the other way round.
func checkKeyPair(cert, key, at string, r *report) {
	switch {
	case cert == "" && key != "":
		r.add(child(at, "cert"), "missing; a certificate is a cert file and a key file")
	case cert != "" && key == "":
		r.add(child(at, "key"), "missing; a certificate is a cert file and a key file")
	case cert != "":
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			r.add(child(at, "cert"), "%v", err)
		}
	}
}
