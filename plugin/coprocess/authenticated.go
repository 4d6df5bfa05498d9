package coprocess

import (
	"fmt"
	"math"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
)

// authenticated is the session that the answer to an auth hook gives, under the
// token that it names [C-4…C-9]. An answer without either refuses the client.
func (b *binding) authenticated(a *answer) (*grapnel.Session, error) {
	s := a.session
	if s == nil {
		return nil, forbidden()
	}
	if s.Metadata == nil {
		s.Metadata = make(map[string]any, len(a.metadata))
	}
	for k, v := range a.metadata {
		s.Metadata[k] = v // wins [C-5]
	}
	token, _ := s.Metadata["token"].(string)
	if token == "" {
		return nil, forbidden()
	}
	if b.client.tyk {
		forget(s)
	} else if err := giveTypes(s.Metadata, a.typed); err != nil {
		return nil, err
	}
	if err := checkSession(s); err != nil {
		return nil, err
	}
	s.KeyID, s.OrgID = token, b.org
	return s, nil
}

func forbidden() error {
	return &grapnel.Error{Status: http.StatusForbidden, Code: grapnel.CodePluginRefused, Message: "Forbidden"}
}

// checkSession refuses what no stored session can hold.
func checkSession(s *grapnel.Session) error {
	type number struct {
		field string
		value float64
	}
	numbers := []number{{"allowance", s.Allowance}, {"rate", s.Rate}, {"per", s.Per}, {"throttle_interval", s.ThrottleInterval}}
	for _, limit := range s.Monitor.TriggerLimits {
		numbers = append(numbers, number{"monitor.trigger_limits", limit})
	}
	for id, d := range s.AccessRights {
		at := fmt.Sprintf("access_rights[%.64q]", id)
		limit := at + ".limit"
		numbers = append(numbers, number{limit, d.Limit.Rate}, number{limit, d.Limit.Per}, number{limit, d.Limit.ThrottleInterval})
		for _, e := range d.Endpoints {
			for _, m := range e.Methods {
				numbers = append(numbers, number{at + ".endpoints", m.Limit.Rate}, number{at + ".endpoints", m.Limit.Per})
			}
		}
		if err := checkExtra("session."+at+".extra", d.Extra, grapnel.IsRightKey); err != nil {
			return err
		}
	}
	for _, n := range numbers {
		if math.IsNaN(n.value) || math.IsInf(n.value, 0) {
			return fmt.Errorf("session.%s: %v is not a number", n.field, n.value)
		}
	}
	return checkExtra("session.extra", s.Extra, grapnel.IsSessionKey)
}

// readSession reads a session that a plugin returned [C-7]. What it says about
// its organisation and key counts for nothing.
func (a *answer) readSession(data []byte) error {
	if a.session == nil {
		a.session = &grapnel.Session{}
	}
	s, f := a.session, fields{rest: data}
	for f.next() {
		switch f.typ {
		case protowire.VarintType:
			readNumber(s, f.num, f.value)
		case protowire.Fixed64Type:
			readDouble(s, f.num, math.Float64frombits(f.value))
		case protowire.BytesType:
			var err error
			if f.num == sessionMetadataJSON {
				err = putJSON(&a.typed, f.bytes)
			} else {
				err = readPart(s, f.num, f.bytes)
			}
			if err != nil {
				return err
			}
		}
	}
	return f.err
}

func readNumber(s *grapnel.Session, num protowire.Number, v uint64) {
	switch num {
	case sessionLastCheck:
		s.LastCheck = int64(v)
	case sessionExpires:
		s.Expires = int64(v)
	case sessionQuotaMax:
		s.QuotaMax = int64(v)
	case sessionQuotaRenews:
		s.QuotaRenews = int64(v)
	case sessionQuotaRemaining:
		s.QuotaRemaining = int64(v)
	case sessionQuotaRenewalRate:
		s.QuotaRenewalRate = int64(v)
	case sessionHMACEnabled:
		s.HMACEnabled = v != 0
	case sessionIsInactive:
		s.IsInactive = v != 0
	case sessionDataExpires:
		s.DataExpires = int64(v)
	case sessionDetailedRecording:
		s.DetailedRecording = v != 0
	case sessionIDExtractorDeadline:
		s.IDExtractorDeadline = int64(v)
	case sessionLifetime:
		s.SessionLifetime = int64(v)
	case sessionMaxQueryDepth:
		s.MaxQueryDepth = int(int64(v))
	case sessionPostExpiryGrace:
		s.PostExpiryGrace = int64(v)
	case sessionThrottleRetryLimit:
		s.ThrottleRetryLimit = int(int64(v))
	case sessionSignatureValidation:
		s.SignatureValidation = v != 0
	}
}

func readDouble(s *grapnel.Session, num protowire.Number, v float64) {
	switch num {
	case sessionAllowance:
		s.Allowance = v
	case sessionRate:
		s.Rate = v
	case sessionPer:
		s.Per = v
	case sessionThrottleInterval:
		s.ThrottleInterval = v
	}
}

func readPart(s *grapnel.Session, num protowire.Number, b []byte) error {
	switch num {
	case sessionAccessRights:
		return readRight(s, b)
	case sessionOAuthClientID:
		return putText(&s.OAuthClientID, b)
	case sessionOAuthKeys:
		return putEntry(&s.OAuthKeys, b)
	case sessionBasicAuthData:
		return readTexts(b, &s.BasicAuthData.Password, &s.BasicAuthData.Hash)
	case sessionJWTData:
		return readTexts(b, &s.JWTData.Secret)
	case sessionHMACSecret:
		return putText(&s.HMACSecret, b)
	case sessionApplyPolicyID:
		return putText(&s.ApplyPolicyID, b)
	case sessionMonitor:
		return readMonitor(&s.Monitor, b)
	case sessionMetadata:
		return readMetadata(s, b)
	case sessionTags:
		return addText(&s.Tags, b)
	case sessionAlias:
		return putText(&s.Alias, b)
	case sessionLastUpdated:
		return putText(&s.LastUpdated, b)
	case sessionApplyPolicies:
		return addText(&s.ApplyPolicies, b)
	case sessionCertificate:
		return putText(&s.Certificate, b)
	case sessionPostExpiryAction:
		return putText(&s.PostExpiryAction, b)
	case sessionDateCreated:
		return putText(&s.DateCreated, b)
	case sessionRSACertificateID:
		return putText(&s.RSACertificateID, b)
	case sessionExtra:
		return putJSON(&s.Extra, b)
	}
	return check(b, sessionField(num))
}

// readTexts reads a message whose fields are these strings, from 1 on.
func readTexts(data []byte, into ...*string) error {
	f := fields{rest: data}
	for f.next() {
		if f.typ == protowire.BytesType && int(f.num) <= len(into) {
			if err := putText(into[f.num-1], f.bytes); err != nil {
				return err
			}
		}
	}
	return f.err
}

func readMonitor(m *grapnel.Monitor, data []byte) error {
	f := fields{rest: data}
	for f.next() {
		switch {
		case f.num != monitorTriggerLimits:
		case f.typ == protowire.Fixed64Type:
			m.TriggerLimits = append(m.TriggerLimits, math.Float64frombits(f.value))
		case f.typ == protowire.BytesType: // packed
			for b := f.bytes; len(b) > 0; {
				v, n := protowire.ConsumeFixed64(b)
				if n < 0 {
					return errMalformed
				}
				m.TriggerLimits = append(m.TriggerLimits, math.Float64frombits(v))
				b = b[n:]
			}
		}
	}
	return f.err
}

func readMetadata(s *grapnel.Session, data []byte) error {
	key, value, err := entry(data)
	if err != nil {
		return err
	}
	if s.Metadata == nil {
		s.Metadata = map[string]any{}
	}
	s.Metadata[string(key)] = string(value)
	return nil
}

// readRight reads an entry of access_rights.
func readRight(s *grapnel.Session, data []byte) error {
	var id string
	var right grapnel.AccessDefinition
	f := fields{rest: data}
	for f.next() {
		var err error
		switch {
		case f.typ != protowire.BytesType:
		case f.num == entryKey:
			err = putText(&id, f.bytes)
		case f.num == entryValue:
			err = readDefinition(&right, f.bytes)
		}
		if err != nil {
			return err
		}
	}
	if s.AccessRights == nil {
		s.AccessRights = map[string]grapnel.AccessDefinition{}
	}
	s.AccessRights[id] = right
	return f.err
}

func readDefinition(d *grapnel.AccessDefinition, data []byte) error {
	f := fields{rest: data}
	for f.next() {
		var err error
		switch {
		case f.typ != protowire.BytesType:
		case f.num == rightAPIName:
			err = putText(&d.APIName, f.bytes)
		case f.num == rightAPIID:
			err = putText(&d.APIID, f.bytes)
		case f.num == rightVersions:
			err = addText(&d.Versions, f.bytes)
		case f.num == rightAllowedURLs:
			var u grapnel.AccessSpec
			err = readAccess(&u, f.bytes)
			d.AllowedURLs = append(d.AllowedURLs, u)
		case f.num == rightLimit:
			err = readLimit(&d.Limit, f.bytes)
		case f.num == rightAllowanceScope:
			err = putText(&d.Scope, f.bytes)
		case f.num == rightEndpoints:
			var e grapnel.EndpointLimit
			err = readEndpoint(&e, f.bytes)
			d.Endpoints = append(d.Endpoints, e)
		case f.num == rightExtra:
			err = putJSON(&d.Extra, f.bytes)
		}
		if err != nil {
			return err
		}
	}
	return f.err
}

func readAccess(u *grapnel.AccessSpec, data []byte) error {
	f := fields{rest: data}
	for f.next() {
		var err error
		switch {
		case f.typ != protowire.BytesType:
		case f.num == accessURL:
			err = putText(&u.URL, f.bytes)
		case f.num == accessMethods:
			err = addText(&u.Methods, f.bytes)
		}
		if err != nil {
			return err
		}
	}
	return f.err
}
