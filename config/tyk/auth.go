package tyk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

const defaultHeader = "Authorization"

// callers translates how an API knows who is calling.
type callers struct{ *translation }

// methods translates the ways to prove who is calling, in the order in which they
// are asked [C-20]. Certificates come first, on keyless APIs too.
func (t callers) methods() []grapnel.AuthMethod {
	m := t.d.methods
	var out []grapnel.AuthMethod
	if m.MutualTLS {
		out = append(out, grapnel.AuthMethod{Certificate: t.certificates()})
	} else if len(m.ClientCerts) > 0 {
		t.warn("client_certificates", "has no effect while use_mutual_tls_auth is false, as in the original")
	}
	if check := t.d.CustomMiddleware.AuthCheck; (m.UseKeyless || !m.custom()) && check.Name != "" && !check.Disabled {
		t.warn("custom_middleware.auth_check", "is not asked: custom_plugin_auth_enabled is off or the API is keyless [C-1]")
	}
	if m.UseKeyless {
		return out
	}
	if m.OAuth2 {
		out = append(out, grapnel.AuthMethod{OAuth: t.oauth()})
	}
	if t.d.ExternalOAuth.Enabled {
		out = append(out, grapnel.AuthMethod{Introspection: t.externalOAuth()})
	}
	if m.BasicAuth {
		out = append(out, grapnel.AuthMethod{Basic: t.basic()})
	}
	if m.Signatures {
		out = append(out, grapnel.AuthMethod{HMAC: t.hmac()})
	}
	if m.JWT {
		out = append(out, grapnel.AuthMethod{JWT: t.jwt()})
	}
	if m.custom() {
		out = append(out, t.custom())
	}
	if t.d.token() {
		out = append(out, grapnel.AuthMethod{Token: t.token()})
	}
	t.checkBaseIdentity(out)
	return out
}

// checkBaseIdentity warns of a session that none of the methods gives [C-14].
func (t callers) checkBaseIdentity(all []grapnel.AuthMethod) {
	base := t.d.BaseIdentity
	if base == "" || slices.ContainsFunc(all, func(m grapnel.AuthMethod) bool { return m.Identity() == base }) {
		return
	}
	t.warn("base_identity_provided_by", "every request is refused: no method of the API is %q, so no session stays [C-14]", base)
}

// custom translates custom authentication. A hook that is nameless or disabled
// is asked all the same, without a name: only the switch of the API turns it
// off [B-30, D-9].
func (t callers) custom() grapnel.AuthMethod {
	check := t.d.CustomMiddleware.AuthCheck
	h := extensions{t.translation}.hook("custom_middleware.auth_check", check, grapnel.Auth)
	switch {
	case check.Disabled:
		t.warn("custom_middleware.auth_check.disabled",
			"does not switch the hook off: it is asked without a name; clear custom_plugin_auth_enabled instead [D-9]")
		h.Name, h.RawBodyOnly = "", false
	case check.Name == "":
		h.RawBodyOnly = false
	}
	return grapnel.AuthMethod{Hook: h, ID: t.extractor()}
}

// extractor translates the id extractor. One without a kind that is known does
// nothing [I-2]; one that would give all callers one session refuses the
// definition [L-33].
func (t callers) extractor() *grapnel.Extractor {
	const at = "custom_middleware.id_extractor"
	e := t.d.CustomMiddleware.IDExtractor
	if e.Disabled || e.ExtractWith == "" {
		return nil
	}
	out := &grapnel.Extractor{
		From: e.ExtractFrom, With: e.ExtractWith, Header: e.Config.Header, Param: e.Config.Param,
		Expression: e.Config.Expression, Index: e.Config.Index,
	}
	switch e.ExtractWith {
	case "value":
		if e.ExtractFrom != "header" && e.ExtractFrom != "form" {
			t.refuse(at, "a value from %q is the same for all callers, who would share one session [L-33]", e.ExtractFrom)
		}
	case "regex":
	case "xpath":
		out.Expression = e.Config.XPath
	default:
		t.warn(at+".extract_with", "has no effect: %q is not a kind of extractor", e.ExtractWith)
		return nil
	}
	return out
}

// token translates stored keys. What has a key signed is a check that must not be
// left out.
func (t callers) token() *grapnel.TokenAuth {
	p := t.d.of(kindToken)
	if p.UseCertificate && !t.conf.HTTPServerOptions.UseSSL {
		t.refuse("auth.use_certificate", "it needs TLS, which the listener does not speak (http_server_options.use_ssl)")
	}
	if p.ValidateSignature {
		t.refuse("auth.validate_signature", "signed keys are not supported")
	}
	return &grapnel.TokenAuth{Credential: p.credential(), Certificate: p.UseCertificate}
}

// credential is the place in our terms.
func (p place) credential() grapnel.Credential {
	c := grapnel.Credential{Header: orDefault(p.Header, defaultHeader)}
	if p.UseParam {
		c.Param = orDefault(p.Param, c.Header)
	}
	if p.UseCookie {
		c.Cookie = orDefault(p.Cookie, c.Header)
	}
	if p.DisableHeader {
		c.Header = ""
	}
	return c
}

func (t callers) basic() *grapnel.BasicAuth {
	if t.d.Basic.FromBody {
		t.warn("basic_auth.extract_from_body", "has no effect: names and passwords are looked for in the header alone")
	}
	return &grapnel.BasicAuth{Header: t.header(kindBasic)}
}

// header is the header of a kind that is looked for nowhere else.
func (t callers) header(kind string) string {
	p := t.d.of(kind)
	if p.UseParam || p.UseCookie {
		t.warn("auth_configs."+kind, "use_param and use_cookie have no effect: the credential is looked for in the header alone")
	}
	return orDefault(p.Header, defaultHeader)
}

// hmac translates signed requests. The algorithms are not left to the caller,
// not even when none of those that are asked for exists here.
func (t callers) hmac() *grapnel.HMACAuth {
	const at = "hmac_allowed_algorithms"
	h := &grapnel.HMACAuth{Header: t.header(kindHMAC), ClockSkew: seconds(t.d.HMACSkew / 1000)}
	for i, name := range t.d.HMACAlgorithms {
		if name = strings.ToLower(name); strings.HasPrefix(name, "hmac-") {
			h.Algorithms = append(h.Algorithms, name)
		} else {
			t.warn(fmt.Sprintf("%s[%d]", at, i), "has no effect: %q is not supported", name)
		}
	}
	if len(h.Algorithms) == 0 && len(t.d.HMACAlgorithms) > 0 {
		t.refuse(at, "none of the algorithms is supported")
	}
	return h
}

// credential is the place that strip_auth_data empties, and whose header events
// tell: that of the plugin, or else of the first method.
func (t callers) credential() grapnel.Credential {
	m, kind := t.d.methods, kindToken
	switch {
	case m.custom():
		kind = kindCustom
	case m.OAuth2:
		kind = kindOAuth
	case t.d.ExternalOAuth.Enabled:
		kind = kindExternalOAuth
	case m.BasicAuth:
		kind = kindBasic
	case m.Signatures:
		kind = kindHMAC
	case m.JWT:
		kind = kindJWT
	}
	c := t.d.of(kind).credential()
	c.Strip = t.d.StripAuthData
	if other := t.d.of(kindToken).credential(); c.Strip && m.StandardAuth && kind != kindToken && (other.Header != c.Header || other.Param != c.Param || other.Cookie != c.Cookie) {
		t.warn("strip_auth_data", "removes the credential of the kind %q alone", kind)
	}
	return c
}

// sessions says whose session stays on an exchange of the API, and for how long
// its sessions are stored [C-21, S-25].
func (t callers) sessions() grapnel.APISessions {
	c := t.conf
	s := grapnel.APISessions{
		BaseIdentity:  t.d.BaseIdentity,
		Lifetime:      seconds(float64(t.d.SessionLifetime)),
		RespectExpiry: c.SessionLifetimeRespectsKeyExpiration || t.d.RespectExpiry,
		ForceLifetime: c.ForceGlobalSessionLifetime,
	}
	if s.ForceLifetime {
		s.Lifetime = seconds(float64(c.GlobalSessionLifetime))
	}
	return s
}
