package coprocess

import (
	"encoding/json"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/grapnel-gateway/grapnel"
	wire "github.com/grapnel-gateway/grapnel/proto/coprocess"
)

// What the original's message has no place for, as the reference has it [B-25].

func extendReference(out *wire.SessionState, s *grapnel.Session) {
	out.ThrottleInterval, out.ThrottleRetryLimit = s.ThrottleInterval, int64(s.ThrottleRetryLimit)
	out.DateCreated, out.EnableHttpSignatureValidation, out.RsaCertificateId = s.DateCreated, s.SignatureValidation, s.RSACertificateID
	for k, v := range s.Metadata {
		if _, ok := v.(string); ok {
			continue
		}
		if b, err := json.Marshal(v); err == nil {
			out.MetadataJson = with(out.MetadataJson, k, string(b))
		}
	}
	for k, v := range s.Extra {
		out.Extra = with(out.Extra, k, string(v))
	}
}

func extendRight(w *wire.AccessDefinition, d grapnel.AccessDefinition) {
	if l := d.Limit; l != (grapnel.APILimit{}) {
		w.Limit = &wire.APILimit{
			Rate: l.Rate, Per: l.Per, ThrottleInterval: l.ThrottleInterval, ThrottleRetryLimit: int64(l.ThrottleRetryLimit),
			MaxQueryDepth: int64(l.MaxQueryDepth), QuotaMax: l.QuotaMax, QuotaRenews: l.QuotaRenews,
			QuotaRemaining: l.QuotaRemaining, QuotaRenewalRate: l.QuotaRenewalRate,
		}
	}
	w.AllowanceScope = d.Scope
	for _, e := range d.Endpoints {
		endpoint := &wire.EndpointLimit{Path: e.Path}
		for _, m := range e.Methods {
			endpoint.Methods = append(endpoint.Methods, &wire.MethodLimit{Name: m.Name, Rate: m.Limit.Rate, Per: m.Limit.Per})
		}
		w.Endpoints = append(w.Endpoints, endpoint)
	}
	for k, v := range d.Extra {
		w.Extra = with(w.Extra, k, string(v))
	}
}

func extendSession(out *grapnel.Session, s *wire.SessionState) {
	out.ThrottleInterval, out.ThrottleRetryLimit = s.ThrottleInterval, int(s.ThrottleRetryLimit)
	out.DateCreated, out.SignatureValidation, out.RSACertificateID = s.DateCreated, s.EnableHttpSignatureValidation, s.RsaCertificateId
	for k, v := range s.Extra {
		out.Extra = withJSON(out.Extra, k, v)
	}
}

func extendDefinition(g *grapnel.AccessDefinition, d *wire.AccessDefinition) {
	if l := d.GetLimit(); l != nil {
		g.Limit = grapnel.APILimit{
			Rate: l.Rate, Per: l.Per, ThrottleInterval: l.ThrottleInterval, ThrottleRetryLimit: int(l.ThrottleRetryLimit),
			MaxQueryDepth: int(l.MaxQueryDepth), QuotaMax: l.QuotaMax, QuotaRenews: l.QuotaRenews,
			QuotaRemaining: l.QuotaRemaining, QuotaRenewalRate: l.QuotaRenewalRate,
		}
	}
	g.Scope = d.GetAllowanceScope()
	for _, e := range d.GetEndpoints() {
		endpoint := grapnel.EndpointLimit{Path: e.GetPath()}
		for _, m := range e.GetMethods() {
			endpoint.Methods = append(endpoint.Methods, grapnel.MethodLimit{Name: m.GetName(), Limit: grapnel.RateLimit{Rate: m.GetRate(), Per: m.GetPer()}})
		}
		g.Endpoints = append(g.Endpoints, endpoint)
	}
	for k, v := range d.GetExtra() {
		g.Extra = withJSON(g.Extra, k, v)
	}
}

// added are the fields of the messages of an Object that the original has not.
func added(o proto.Message) (names []string) {
	o.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Number() >= 1000:
			names = append(names, string(f.FullName()))
		case f.Message() != nil && !f.IsMap() && !f.IsList():
			names = append(names, added(v.Message().Interface())...)
		}
		return true
	})
	return names
}

func protoEqual() cmp.Option { return protocmp.Transform() }
