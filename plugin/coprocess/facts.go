package coprocess

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"mime"
	"mime/multipart"

	"github.com/grapnel-gateway/grapnel"
)

// writeFacts tells what a hook asks for about an exchange whose request has this
// body [L-1, L-29]. Where there is nothing to tell, the part is missing.
func writeFacts(q *question, asked []grapnel.Fact, x *grapnel.Exchange, body []byte) {
	if len(asked) == 0 {
		return
	}
	facts := q.begin(objectFacts)
	for _, f := range asked {
		switch f {
		case grapnel.FactClient:
			writeClient(&q.message, x)
		case grapnel.FactTLS:
			writeTLS(&q.message, x.Request.TLS)
		case grapnel.FactCertificate:
			writeCertificate(&q.message, x.Request.TLS)
		case grapnel.FactRoute:
			writeRoute(&q.message, x)
		case grapnel.FactClaims:
			if claims, err := json.Marshal(x.Claims); err == nil && x.Claims != nil {
				q.string(factsClaims, string(claims))
			}
		case grapnel.FactGraphQL:
			writeGraphQL(&q.message, x.GraphQL)
		case grapnel.FactForm:
			for _, field := range form(x.Request.Header.Get("Content-Type"), body) {
				q.line(factsForm, field.name, field.values)
			}
		}
	}
	q.end(facts)
}

func writeClient(m *message, x *grapnel.Exchange) {
	client := m.begin(factsClient)
	if x.Client.IsValid() {
		m.string(clientAddress, x.Client.String())
	}
	m.string(clientPeer, x.Request.RemoteAddr)
	m.string(clientProtocol, x.Request.Proto)
	m.end(client)
}

func writeTLS(m *message, state *tls.ConnectionState) {
	if state == nil {
		return
	}
	facts := m.begin(factsTLS)
	m.string(tlsVersion, tls.VersionName(state.Version))
	m.string(tlsCipherSuite, tls.CipherSuiteName(state.CipherSuite))
	m.string(tlsServerName, state.ServerName)
	m.string(tlsProtocol, state.NegotiatedProtocol)
	m.end(facts)
}

func writeCertificate(m *message, state *tls.ConnectionState) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return
	}
	c := state.PeerCertificates[0]
	sum := sha256.Sum256(c.Raw)
	facts := m.begin(factsCertificate)
	m.string(certificatePEM, pemOf(c))
	m.string(certificateFingerprint, hex.EncodeToString(sum[:]))
	m.string(certificateSubject, c.Subject.String())
	m.string(certificateIssuer, c.Issuer.String())
	m.string(certificateSerial, c.SerialNumber.String())
	m.strings(certificateDNSNames, c.DNSNames)
	for _, ip := range c.IPAddresses {
		m.element(certificateIPAddresses, ip.String())
	}
	m.strings(certificateEmailAddresses, c.EmailAddresses)
	for _, u := range c.URIs {
		m.element(certificateURIs, u.String())
	}
	for _, c := range state.PeerCertificates[1:] {
		m.element(certificateChain, pemOf(c))
	}
	m.varint(certificateNotBefore, uint64(c.NotBefore.Unix()))
	m.varint(certificateNotAfter, uint64(c.NotAfter.Unix()))
	m.bool(certificateVerified, len(state.VerifiedChains) > 0)
	m.end(facts)
}

func pemOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func writeRoute(m *message, x *grapnel.Exchange) {
	route := m.begin(factsRoute)
	m.string(routeRequestID, x.ID)
	m.string(routeAPIName, x.API.Name)
	m.string(routeListenPath, x.API.ListenPath)
	m.string(routeMatchedPath, x.Prefix)
	targets := x.API.Targets
	if v := x.Version; v != nil {
		m.string(routeVersion, v.Name)
		if v.Target != nil {
			targets = []*grapnel.URL{v.Target}
		}
	}
	for _, u := range targets {
		m.element(routeTargets, u.Redacted())
	}
	m.varint(routeReceived, uint64(x.Start.UnixNano()))
	m.end(route)
}

func writeGraphQL(m *message, g *grapnel.GraphQLFacts) {
	if g == nil {
		return
	}
	facts := m.begin(factsGraphQL)
	for i := range g.Operations {
		o := &g.Operations[i]
		operation := m.begin(graphQLOperations)
		m.string(operationKind, o.Kind)
		m.string(operationName, o.Name)
		m.string(operationType, o.Type)
		for _, root := range o.Roots {
			m.element(operationRootFields, root.Name)
		}
		m.varint(operationDepth, uint64(o.Depth))
		m.varint(operationComplexity, uint64(o.Complexity))
		m.varint(operationAliases, uint64(o.Aliases))
		m.end(operation)
	}
	m.varint(graphQLDepth, uint64(g.Depth))
	m.varint(graphQLComplexity, uint64(g.Complexity))
	m.varint(graphQLAliases, uint64(g.Aliases))
	m.end(facts)
}

// form lists the fields of a form, in the order in which they begin. What is not
// well-formed is left out, and so are files.
func form(contentType string, body []byte) []*line {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	var fields grouped
	switch kind {
	case "application/x-www-form-urlencoded":
		return paramsOf(string(body))
	case "multipart/form-data":
		parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil {
				return fields.list
			}
			if part.FormName() == "" || part.FileName() != "" {
				continue
			}
			if value, err := io.ReadAll(part); err == nil {
				fields.add(text(part.FormName()), text(string(value)))
			}
		}
	}
	return fields.list
}
