package tyk

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

const signHMAC = "hmac"

// jwt translates JSON Web Tokens. The signing method pins the algorithms. Tokens
// that lead to no policy are refused, and those that never expire are taken, as
// in the original.
func (t callers) jwt() *grapnel.JWTAuth {
	k := t.d.jwtKeys
	j := &grapnel.JWTAuth{}
	j.SetDefaults()
	j.Credential = t.d.of(kindJWT).credential()
	j.RequireExpiry = false
	j.RequirePolicy = true
	j.Algorithms = t.algorithms()
	j.IdentityClaim = orDefault(k.IdentityField, "sub")
	j.PolicyClaim = k.PolicyField
	j.DefaultPolicies = k.DefaultPolicies
	j.IgnoreKID = k.SkipKID
	j.Skew = grapnel.JWTSkew{
		IssuedAt: seconds(k.IssuedAtSkew), ExpiresAt: seconds(k.ExpiresAtSkew), NotBefore: seconds(k.NotBeforeSkew),
	}
	j.Scope.Claim = orDefault(orDefault(k.Scopes.JWT.Claim, k.ScopeClaim), j.Scope.Claim)
	if j.Scope.Policies = k.Scopes.JWT.Policies; len(j.Scope.Policies) == 0 {
		j.Scope.Policies = k.ScopePolicies
	}
	if k.ClientField != "" {
		t.warn("jwt_client_base_field", "has no effect: there are no OAuth clients whose policies could be taken")
	}
	t.jwtSource(j)
	return j
}

// algorithms are those of the signing method; without one it is hmac, as in the
// original.
func (t callers) algorithms() []string {
	switch t.d.SigningMethod {
	case "rsa":
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case "ecdsa":
		return []string{"ES256", "ES384", "ES512"}
	case signHMAC:
	default:
		t.warn("jwt_signing_method", "%q is none of hmac, rsa and ecdsa: hmac is used, as in the original", t.d.SigningMethod)
	}
	return []string{"HS256", "HS384", "HS512"}
}

// jwtSource says how tokens are verified: by published keys, by one key, or,
// without a source, by the keys that the callers' sessions hold.
func (t callers) jwtSource(j *grapnel.JWTAuth) {
	const at = "jwt_source"
	k := t.d.jwtKeys
	hmac := slices.Contains(j.Algorithms, "HS256")
	for i, s := range k.JWKS {
		j.JWKS = append(j.JWKS, t.target(fmt.Sprintf("jwt_jwks_uris[%d].url", i), s.URL, "http", "https"))
	}
	text := k.Source
	switch {
	case len(j.JWKS) > 0:
		if text != "" {
			t.warn(at, "has no effect beside jwt_jwks_uris, as in the original")
		}
		text = ""
	case text != "" && !isURL(text):
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(plain) == 0 {
			t.refuse(at, "it is neither a URL nor base64")
			return
		}
		text = string(plain)
	}
	block, _ := pem.Decode([]byte(text))
	switch {
	case isURL(text):
		j.JWKS = append(j.JWKS, t.target(at, text, "http", "https"))
	case text == "":
	case hmac && block != nil:
		t.refuse(at, "it is a public key, and the signing method is hmac: whoever knows the key could sign with it")
	case hmac:
		j.Secret = text
	case block == nil:
		t.refuse(at, "it is not a public key in PEM form, and the signing method is %s", t.d.SigningMethod)
	default:
		j.PublicKey = text
	}
	if hmac && len(j.JWKS) > 0 {
		t.refuse("jwt_signing_method", "it is hmac, and the keys are published: whoever reads them could sign with them")
	}
}

func isURL(text string) bool {
	u, err := url.Parse(strings.TrimSpace(text))
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}
