package coprocess

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/grapnel-gateway/grapnel"
	"github.com/grapnel-gateway/grapnel/plugin/rpc"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// The types that protoc generated are what the package's own reading and writing
// of the wire is measured by: this file says the same with them, plainly.

// referenceObject is the Object about an exchange, and about a reply if that is
// not nil.
func referenceObject(b *binding, hook string, x *grapnel.Exchange, body []byte, resp *http.Response, reply []byte) *wire.Object {
	kind, _ := hookType(b.stage)
	o := &wire.Object{
		HookType: wire.HookType(kind), HookName: hook, Request: referenceRequest(b, x, body),
		Spec: map[string]string{"OrgID": x.API.OrgID, "APIID": x.API.ID, "bundle_hash": noBundle},
	}
	switch {
	case b.stage == grapnel.Pre || b.stage == grapnel.Auth:
	case x.Session != nil:
		o.Session = sessionState(x.Session, b.client.tyk)
		o.Metadata = o.Session.Metadata
	case b.stage == grapnel.Response:
		o.Session = sessionState(&grapnel.Session{}, b.client.tyk)
	}
	if resp != nil {
		o.Response = &wire.ResponseObject{
			StatusCode: int32(resp.StatusCode), RawBody: reply, Body: referenceText(b, reply), Headers: map[string]string{},
		}
		for name, values := range resp.Header {
			if len(values) > 0 {
				o.Response.Headers[text(name)] = text(values[0])
				o.Response.MultivalueHeaders = append(o.Response.MultivalueHeaders, &wire.Header{Key: text(name), Values: texts(values)})
			}
		}
	}
	return o
}

func referenceRequest(b *binding, x *grapnel.Exchange, body []byte) *wire.MiniRequestObject {
	r, target := x.Request, b.target(x)
	o := &wire.MiniRequestObject{
		Headers: map[string]string{}, Method: r.Method, Scheme: "http", RawBody: body, Body: referenceText(b, body),
		Url: text(target.String()), RequestUri: text(r.RequestURI), ReturnOverrides: &wire.ReturnOverrides{ResponseCode: -1},
	}
	for name, values := range r.Header {
		if len(values) > 0 {
			o.Headers[text(name)] = text(values[0])
		}
	}
	if host := r.Host; host != "" {
		o.Headers["Host"] = text(host)
	} else if r.URL.Host != "" {
		o.Headers["Host"] = text(r.URL.Host)
	}
	if b.stage == grapnel.Response && b.client.tyk {
		delete(o.Headers, "Accept-Encoding")
	}
	if r.TLS != nil {
		o.Scheme = "https"
	}
	if b.pending(x) {
		o.RequestUri = text(target.RequestURI())
	}
	if b.stage != grapnel.Response && x.RewriteMethod != "" {
		o.Method = x.RewriteMethod
	}
	o.Params = referenceParams(b.query(x))
	if b.client.tyk {
		return o
	}
	for name, values := range r.Header {
		if len(values) > 1 {
			o.MultivalueHeaders = append(o.MultivalueHeaders, &wire.Header{Key: text(name), Values: texts(values)})
		}
	}
	for _, name := range referenceNames(b.query(x)) {
		if values := referenceValues(b.query(x), name); len(values) > 1 {
			o.MultivalueParams = append(o.MultivalueParams, &wire.Param{Name: name, Values: values})
		}
	}
	for name, values := range r.Trailer {
		o.Trailers = append(o.Trailers, &wire.Header{Key: text(name), Values: texts(values)})
	}
	return o
}

func referenceText(b *binding, body []byte) string {
	if b.rawOnly || !utf8.Valid(body) {
		return ""
	}
	return string(body)
}

func referenceParams(raw string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, ok := parsePair(pair)
		if _, seen := out[key]; ok && !seen {
			out[key] = value
		}
	}
	return out
}

func referenceNames(raw string) (out []string) {
	for pair := range strings.SplitSeq(raw, "&") {
		if name, _, ok := parsePair(pair); ok && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func referenceValues(raw, name string) (out []string) {
	for pair := range strings.SplitSeq(raw, "&") {
		if n, value, ok := parsePair(pair); ok && n == name {
			out = append(out, value)
		}
	}
	return out
}

func texts(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = text(v)
	}
	return out
}

// sessionState is the wire form of a session.
func sessionState(s *grapnel.Session, tyk bool) *wire.SessionState {
	out := &wire.SessionState{
		LastCheck: s.LastCheck, Allowance: s.Allowance, Rate: s.Rate, Per: s.Per,
		Expires: s.Expires, DataExpires: s.DataExpires, SessionLifetime: s.SessionLifetime,
		QuotaMax: s.QuotaMax, QuotaRenews: s.QuotaRenews, QuotaRemaining: s.QuotaRemaining, QuotaRenewalRate: s.QuotaRenewalRate,
		OrgId: s.OrgID, Alias: s.Alias, Tags: s.Tags,
		OauthClientId: s.OAuthClientID, OauthKeys: s.OAuthKeys,
		BasicAuthData: &wire.BasicAuthData{Password: s.BasicAuthData.Password, Hash: s.BasicAuthData.Hash},
		JwtData:       &wire.JWTData{Secret: s.JWTData.Secret},
		HmacEnabled:   s.HMACEnabled, HmacSecret: s.HMACSecret,
		IsInactive:    s.IsInactive,
		ApplyPolicyId: s.ApplyPolicyID, ApplyPolicies: s.ApplyPolicies,
		Monitor:                 &wire.Monitor{TriggerLimits: s.Monitor.TriggerLimits},
		EnableDetailedRecording: s.DetailedRecording,
		LastUpdated:             s.LastUpdated,
		IdExtractorDeadline:     s.IDExtractorDeadline,
		PostExpiryAction:        s.PostExpiryAction, PostExpiryGracePeriod: s.PostExpiryGrace,
	}
	if !tyk {
		out.Certificate, out.MaxQueryDepth, out.KeyId = s.Certificate, int64(s.MaxQueryDepth), s.KeyID
		extendReference(out, s)
	}
	for id, d := range s.AccessRights {
		w := &wire.AccessDefinition{ApiName: d.APIName, ApiId: d.APIID, Versions: d.Versions}
		for _, u := range d.AllowedURLs {
			w.AllowedUrls = append(w.AllowedUrls, &wire.AccessSpec{Url: u.URL, Methods: u.Methods})
		}
		if !tyk {
			extendRight(w, d)
		}
		if out.AccessRights == nil {
			out.AccessRights = map[string]*wire.AccessDefinition{}
		}
		out.AccessRights[id] = w
	}
	for k, v := range s.Metadata {
		if s, ok := v.(string); ok {
			out.Metadata = with(out.Metadata, k, s)
		} else if b, err := json.Marshal(v); err == nil {
			out.Metadata = with(out.Metadata, k, string(b))
		}
	}
	return out
}

// referenceAnswer is what of an Object counts at a stage.
func referenceAnswer(stage grapnel.Stage, o *wire.Object) answer {
	var a answer
	if r := o.Response; stage == grapnel.Response && r != nil {
		a.reply = gotReply{given: true, status: r.StatusCode, body: r.RawBody, text: []byte(r.Body), headers: r.Headers, same: same{edited: true}}
		a.reply.list, a.reply.trailers = referenceLines(r.MultivalueHeaders), referenceLines(r.Trailers)
	}
	if r := o.Request; r != nil {
		a.request = edits{
			given: true, setHeaders: r.SetHeaders, addParams: r.AddParams, delHeaders: r.DeleteHeaders, delParams: r.DeleteParams,
			url: []byte(r.Url), method: []byte(r.Method), body: r.RawBody, text: []byte(r.Body),
			several: several{
				headers: referenceLines(r.MultivalueHeaders), addHeaders: referenceLines(r.AppendHeaders), trailers: referenceLines(r.Trailers),
				params: referenceLines(r.MultivalueParams), addParams: referenceLines(r.AppendParams),
			},
		}
		if v := r.ReturnOverrides; v != nil {
			a.request.overrides = overrides{v.ResponseCode, v.Headers, referenceLines(v.MultivalueHeaders), v.OverrideError, []byte(v.ResponseError), []byte(v.ResponseBody)}
		}
	}
	if stage == grapnel.Auth {
		a.session, a.metadata = referenceSession(o.Session), o.Metadata
		for key, value := range o.GetSession().GetMetadataJson() {
			a.typed = withJSON(a.typed, key, value)
		}
	}
	return a
}

// referenceLines are headers or parameters with all their values.
func referenceLines[L interface{ GetValues() []string }](list []L) (out []*line) {
	for _, l := range list {
		switch named := any(l).(type) {
		case *wire.Header:
			out = append(out, &line{named.GetKey(), slices.Clone(l.GetValues())})
		case *wire.Param:
			out = append(out, &line{named.GetName(), slices.Clone(l.GetValues())})
		}
	}
	return out
}

func withJSON(m map[string]json.RawMessage, key, value string) map[string]json.RawMessage {
	if m == nil {
		m = map[string]json.RawMessage{}
	}
	m[key] = json.RawMessage(value)
	return m
}

// referenceSession is the session that a plugin returned.
func referenceSession(s *wire.SessionState) *grapnel.Session {
	if s == nil {
		return nil
	}
	out := &grapnel.Session{
		LastCheck: s.LastCheck, Allowance: s.Allowance, Rate: s.Rate, Per: s.Per,
		Expires: s.Expires, DataExpires: s.DataExpires, SessionLifetime: s.SessionLifetime,
		QuotaMax: s.QuotaMax, QuotaRenews: s.QuotaRenews, QuotaRemaining: s.QuotaRemaining, QuotaRenewalRate: s.QuotaRenewalRate,
		Alias: s.Alias, Tags: s.Tags,
		OAuthClientID: s.OauthClientId, OAuthKeys: s.OauthKeys,
		BasicAuthData: grapnel.BasicAuthData{Password: s.GetBasicAuthData().GetPassword(), Hash: s.GetBasicAuthData().GetHash()},
		JWTData:       grapnel.JWTData{Secret: s.GetJwtData().GetSecret()},
		HMACEnabled:   s.HmacEnabled, HMACSecret: s.HmacSecret,
		IsInactive:    s.IsInactive,
		ApplyPolicyID: s.ApplyPolicyId, ApplyPolicies: s.ApplyPolicies,
		Monitor:             grapnel.Monitor{TriggerLimits: s.GetMonitor().GetTriggerLimits()},
		DetailedRecording:   s.EnableDetailedRecording,
		LastUpdated:         s.LastUpdated,
		IDExtractorDeadline: s.IdExtractorDeadline,
		PostExpiryAction:    s.PostExpiryAction, PostExpiryGrace: s.PostExpiryGracePeriod,
		Certificate: s.Certificate, MaxQueryDepth: int(s.MaxQueryDepth),
	}
	extendSession(out, s)
	for id, d := range s.AccessRights {
		g := grapnel.AccessDefinition{APIName: d.GetApiName(), APIID: d.GetApiId(), Versions: d.GetVersions()}
		for _, u := range d.GetAllowedUrls() {
			g.AllowedURLs = append(g.AllowedURLs, grapnel.AccessSpec{URL: u.GetUrl(), Methods: u.GetMethods()})
		}
		extendDefinition(&g, d)
		if out.AccessRights == nil {
			out.AccessRights = map[string]grapnel.AccessDefinition{}
		}
		out.AccessRights[id] = g
	}
	for k, v := range s.Metadata {
		if out.Metadata == nil {
			out.Metadata = map[string]any{}
		}
		out.Metadata[k] = v
	}
	return out
}

// sent is the Object that a message is on the wire.
func sent(t testing.TB, m *message) *wire.Object {
	t.Helper()
	o := &wire.Object{}
	if err := proto.Unmarshal(m.slices().Materialize(), o); err != nil {
		t.Fatal(err)
	}
	return o
}

// marshal is the wire form of an Object.
func marshal(t testing.TB, o *wire.Object) []byte {
	t.Helper()
	data, err := proto.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// call sends an Object as it is.
func call(ctx context.Context, c *Client, o *wire.Object) (*wire.Object, error) {
	data, err := proto.Marshal(o)
	if err != nil {
		return nil, err
	}
	m := c.buffers.message()
	m.raw(data)
	got, err := c.invoke(ctx, &rpc.Call{Method: dispatchMethod}, &m)
	if err != nil {
		return nil, err
	}
	defer got.release()
	answer := &wire.Object{}
	return answer, proto.Unmarshal(got.bytes(), answer)
}
