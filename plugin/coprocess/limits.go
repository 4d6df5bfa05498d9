package coprocess

import (
	"encoding/json"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
)

// What a session has and the original's message has no place for [B-25].

// extend writes what the original does not send of a session.
func (m *message) extend(s *grapnel.Session) {
	m.double(sessionThrottleInterval, s.ThrottleInterval)
	m.varint(sessionThrottleRetryLimit, uint64(s.ThrottleRetryLimit))
	m.string(sessionDateCreated, s.DateCreated)
	m.bool(sessionSignatureValidation, s.SignatureValidation)
	m.string(sessionRSACertificateID, s.RSACertificateID)
	for key, value := range s.Metadata {
		if _, plain := value.(string); plain {
			continue
		}
		if b, err := json.Marshal(value); err == nil {
			m.entry(sessionMetadataJSON, key, string(b)) // [L-30]
		}
	}
	m.extra(sessionExtra, s.Extra)
}

func (m *message) extra(num protowire.Number, extra map[string]json.RawMessage) {
	for key, value := range extra {
		m.entry(num, key, string(value))
	}
}

// extendRight writes what the original does not send of an access right.
func (m *message) extendRight(d *grapnel.AccessDefinition) {
	if d.Limit != (grapnel.APILimit{}) {
		limit := m.begin(rightLimit)
		writeLimit(m, &d.Limit)
		m.end(limit)
	}
	m.string(rightAllowanceScope, d.Scope)
	for _, e := range d.Endpoints {
		endpoint := m.begin(rightEndpoints)
		m.string(endpointPath, e.Path)
		for _, limit := range e.Methods {
			method := m.begin(endpointMethods)
			m.string(methodName, limit.Name)
			m.double(methodRate, limit.Limit.Rate)
			m.double(methodPer, limit.Limit.Per)
			m.end(method)
		}
		m.end(endpoint)
	}
	m.extra(rightExtra, d.Extra)
}

func writeLimit(m *message, l *grapnel.APILimit) {
	m.double(limitRate, l.Rate)
	m.double(limitPer, l.Per)
	m.double(limitThrottleInterval, l.ThrottleInterval)
	m.varint(limitThrottleRetryLimit, uint64(l.ThrottleRetryLimit))
	m.varint(limitMaxQueryDepth, uint64(l.MaxQueryDepth))
	m.varint(limitQuotaMax, uint64(l.QuotaMax))
	m.varint(limitQuotaRenews, uint64(l.QuotaRenews))
	m.varint(limitQuotaRemaining, uint64(l.QuotaRemaining))
	m.varint(limitQuotaRenewalRate, uint64(l.QuotaRenewalRate))
}

// readLimit reads what a plugin returned on top of what is there.
func readLimit(l *grapnel.APILimit, data []byte) error {
	f := fields{rest: data}
	for f.next() {
		switch f.typ {
		case protowire.Fixed64Type:
			switch v := math.Float64frombits(f.value); f.num {
			case limitRate:
				l.Rate = v
			case limitPer:
				l.Per = v
			case limitThrottleInterval:
				l.ThrottleInterval = v
			}
		case protowire.VarintType:
			switch v := int64(f.value); f.num {
			case limitThrottleRetryLimit:
				l.ThrottleRetryLimit = int(v)
			case limitMaxQueryDepth:
				l.MaxQueryDepth = int(v)
			case limitQuotaMax:
				l.QuotaMax = v
			case limitQuotaRenews:
				l.QuotaRenews = v
			case limitQuotaRemaining:
				l.QuotaRemaining = v
			case limitQuotaRenewalRate:
				l.QuotaRenewalRate = v
			}
		}
	}
	return f.err
}

func readEndpoint(e *grapnel.EndpointLimit, data []byte) error {
	f := fields{rest: data}
	for f.next() {
		var err error
		switch {
		case f.typ != protowire.BytesType:
		case f.num == endpointPath:
			err = putText(&e.Path, f.bytes)
		case f.num == endpointMethods:
			var m grapnel.MethodLimit
			err = readMethod(&m, f.bytes)
			e.Methods = append(e.Methods, m)
		}
		if err != nil {
			return err
		}
	}
	return f.err
}

func readMethod(m *grapnel.MethodLimit, data []byte) error {
	f := fields{rest: data}
	for f.next() {
		switch {
		case f.typ == protowire.Fixed64Type && f.num == methodRate:
			m.Limit.Rate = math.Float64frombits(f.value)
		case f.typ == protowire.Fixed64Type && f.num == methodPer:
			m.Limit.Per = math.Float64frombits(f.value)
		case f.typ == protowire.BytesType && f.num == methodName:
			if err := putText(&m.Name, f.bytes); err != nil {
				return err
			}
		}
	}
	return f.err
}

// putJSON reads an entry of a map whose values are JSON.
func putJSON(m *map[string]json.RawMessage, data []byte) error {
	key, value, err := entry(data)
	if err != nil {
		return err
	}
	if *m == nil {
		*m = map[string]json.RawMessage{}
	}
	(*m)[string(key)] = append(json.RawMessage(nil), value...)
	return nil
}

// checkExtra refuses what cannot be stored with a session: what is no JSON, and
// keys that have a place of their own, which would say things twice.
func checkExtra(field string, extra map[string]json.RawMessage, taken func(string) bool) error {
	for key, value := range extra {
		if taken(key) {
			return fmt.Errorf("%s[%.64q]: has a place of its own", field, key)
		}
		if !json.Valid(value) {
			return fmt.Errorf("%s[%.64q]: not JSON", field, key)
		}
	}
	return nil
}

// forget takes away what the original does not read of a session.
func forget(s *grapnel.Session) {
	s.ThrottleInterval, s.ThrottleRetryLimit = 0, 0
	s.DateCreated, s.SignatureValidation, s.RSACertificateID, s.Extra = "", false, "", nil
	for id, d := range s.AccessRights {
		d.Limit, d.Scope, d.Endpoints, d.Extra = grapnel.APILimit{}, "", nil, nil
		s.AccessRights[id] = d
	}
}
