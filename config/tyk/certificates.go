package tyk

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// fingerprint matches the end of a certificate's id: the organisation, and the
// SHA-256 of the certificate [Z-10].
var fingerprint = regexp.MustCompile(`[0-9a-fA-F]{64}$`)

// certificates translates the lists of client certificates, the API's and that of
// all APIs: ids, or files.
func (t callers) certificates() *grapnel.CertificateAuth {
	if !t.conf.HTTPServerOptions.UseSSL {
		t.refuse("use_mutual_tls_auth", "it needs TLS, which the listener does not speak (http_server_options.use_ssl)")
	}
	c := &grapnel.CertificateAuth{}
	everywhere := t.conf.Security.Certificates.API
	for i, id := range slices.Concat(t.d.ClientCerts, everywhere) {
		if sum := fingerprint.FindString(id); sum != "" {
			c.Fingerprints = append(c.Fingerprints, sum)
			continue
		}
		file, ok := t.locate(id)
		if !ok {
			at := fmt.Sprintf("client_certificates[%d]", i)
			if n := len(t.d.ClientCerts); i >= n {
				at = fmt.Sprintf("security.certificates.apis[%d]", i-n)
			}
			t.refuse(at, "%q is neither a certificate's id nor a file", id)
		}
		c.Files = append(c.Files, file)
	}
	if len(t.d.ClientCerts)+len(everywhere) == 0 {
		t.refuse("client_certificates", "it is empty, so nobody is let in")
	}
	return c
}

// upstreamTLS finds what the gateway proves itself by to the API's upstreams: a
// PEM file with a certificate and its key. The API's own word goes before that
// for all APIs.
func (t *translation) upstreamTLS(u grapnel.Upstream) grapnel.UpstreamTLS {
	maps := []map[string]string{t.conf.Security.Certificates.Upstream}
	if !t.d.UpstreamCertsOff {
		maps = append(maps, t.d.UpstreamCerts)
	}
	targets := u.Targets
	if u.Target != nil {
		targets = []*grapnel.URL{u.Target}
	}
	var out grapnel.UpstreamTLS
	for i, target := range targets {
		if target == nil { // refused already
			continue
		}
		file, found := certificateFor(&target.URL, maps), true
		if file != "" {
			file, found = t.locate(file)
		}
		switch {
		case !found:
			t.refuse("upstream_certificates", "%q is not a file; write the certificate and its key into a PEM file, and its name here", file)
		case i > 0 && file != out.Cert:
			t.refuse("upstream_certificates", "the targets want different certificates")
		}
		out.Cert, out.Key = file, file
	}
	return out
}

// certificateFor is what the last of the maps with an entry for the host says; *
// is every host, *.name those below a name.
func certificateFor(u *url.URL, maps []map[string]string) (id string) {
	for _, m := range maps {
		_, domain, _ := strings.Cut(u.Hostname(), ".")
		for _, host := range []string{"*", "*." + domain, u.Hostname(), u.Host} {
			if found := m[host]; found != "" {
				id = found
			}
		}
	}
	return id
}
