package coprocess

import (
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"math"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/grapnel-gateway/grapnel"
)

// encodeSession is the wire form of who is calling: session, and metadata, which
// has the same entries as the session's [B-21…B-27].
func encodeSession(s *grapnel.Session, tyk bool) []byte { return encodingOf(s, tyk).with(s) }

// An encoding is the wire form of who is calling, but for the numbers that each
// request changes.
type encoding struct {
	before, after []byte // the fields of session on both sides of those of its quota
	metadata      []byte
}

func encodingOf(s *grapnel.Session, tyk bool) encoding {
	var m message
	m.rates(s)
	quota := len(m.buf)
	m.rest(s, tyk)
	end := len(m.buf)
	m.metadata(objectMetadata, s.Metadata)
	return encoding{before: m.buf[:quota], after: m.buf[quota:end], metadata: m.buf[end:]}
}

// with is the wire form with the quota of s, whose other fields are those that were
// encoded. They stay in the order of their numbers, as an echo has them.
func (e encoding) with(s *grapnel.Session) []byte {
	const most = 4 * 2 * binary.MaxVarintLen64 // of the quota and of what session begins with
	var q message
	q.buf = make([]byte, 0, most)
	q.quota(s)
	m := make([]byte, 0, most+len(e.before)+len(e.after)+len(e.metadata))
	m = protowire.AppendTag(m, objectSession, protowire.BytesType)
	m = protowire.AppendVarint(m, uint64(len(e.before)+len(q.buf)+len(e.after)))
	m = append(append(append(m, e.before...), q.buf...), e.after...)
	return append(m, e.metadata...)
}

// rates writes the fields of a session up to its quota.
func (m *message) rates(s *grapnel.Session) {
	m.varint(sessionLastCheck, uint64(s.LastCheck))
	m.double(sessionAllowance, s.Allowance)
	m.double(sessionRate, s.Rate)
	m.double(sessionPer, s.Per)
	m.varint(sessionExpires, uint64(s.Expires))
}

// quota writes what [grapnel.Exchange.Meter] changes.
func (m *message) quota(s *grapnel.Session) {
	m.varint(sessionQuotaMax, uint64(s.QuotaMax))
	m.varint(sessionQuotaRenews, uint64(s.QuotaRenews))
	m.varint(sessionQuotaRemaining, uint64(s.QuotaRemaining))
}

// rest writes the fields behind them. The original holds back certificate,
// max_query_depth and, as recorded, key_id, and has no place for others; natively
// all are sent [L-1, L-3, B-25].
func (m *message) rest(s *grapnel.Session, tyk bool) {
	m.varint(sessionQuotaRenewalRate, uint64(s.QuotaRenewalRate))
	for id, right := range s.AccessRights {
		m.right(id, &right, tyk)
	}
	m.string(sessionOrgID, s.OrgID)
	m.string(sessionOAuthClientID, s.OAuthClientID)
	m.entries(sessionOAuthKeys, s.OAuthKeys)
	basic := m.begin(sessionBasicAuthData)
	m.string(basicPassword, s.BasicAuthData.Password)
	m.string(basicHash, s.BasicAuthData.Hash)
	m.end(basic)
	jwt := m.begin(sessionJWTData)
	m.string(jwtSecret, s.JWTData.Secret)
	m.end(jwt)
	m.bool(sessionHMACEnabled, s.HMACEnabled)
	m.string(sessionHMACSecret, s.HMACSecret)
	m.bool(sessionIsInactive, s.IsInactive)
	m.string(sessionApplyPolicyID, s.ApplyPolicyID)
	m.varint(sessionDataExpires, uint64(s.DataExpires))
	m.monitor(s.Monitor.TriggerLimits)
	m.bool(sessionDetailedRecording, s.DetailedRecording)
	m.metadata(sessionMetadata, s.Metadata)
	m.strings(sessionTags, s.Tags)
	m.string(sessionAlias, s.Alias)
	m.string(sessionLastUpdated, s.LastUpdated)
	m.varint(sessionIDExtractorDeadline, uint64(s.IDExtractorDeadline))
	m.varint(sessionLifetime, uint64(s.SessionLifetime))
	m.strings(sessionApplyPolicies, s.ApplyPolicies)
	if !tyk {
		m.string(sessionCertificate, s.Certificate)
		m.varint(sessionMaxQueryDepth, uint64(s.MaxQueryDepth))
		m.string(sessionKeyID, s.KeyID)
	}
	m.string(sessionPostExpiryAction, s.PostExpiryAction)
	m.varint(sessionPostExpiryGrace, uint64(s.PostExpiryGrace))
	if !tyk {
		m.extend(s)
	}
}

// right writes an entry of access_rights.
func (m *message) right(id string, d *grapnel.AccessDefinition, tyk bool) {
	e := m.begin(sessionAccessRights)
	m.element(entryKey, id)
	right := m.begin(entryValue)
	m.string(rightAPIName, d.APIName)
	m.string(rightAPIID, d.APIID)
	m.strings(rightVersions, d.Versions)
	for _, u := range d.AllowedURLs {
		access := m.begin(rightAllowedURLs)
		m.string(accessURL, u.URL)
		m.strings(accessMethods, u.Methods)
		m.end(access)
	}
	if !tyk {
		m.extendRight(d)
	}
	m.end(right)
	m.end(e)
}

func (m *message) monitor(limits []float64) {
	monitor := m.begin(sessionMonitor)
	if len(limits) > 0 {
		packed := m.begin(monitorTriggerLimits)
		for _, limit := range limits {
			m.buf = protowire.AppendFixed64(m.buf, math.Float64bits(limit))
		}
		m.end(packed)
	}
	m.end(monitor)
}

// metadata makes texts of a session's metadata: strings stay, all else becomes
// its JSON, and what has none is left out [B-23].
func (m *message) metadata(num protowire.Number, entries map[string]any) {
	for key, value := range entries {
		if s, ok := metadataText(value); ok {
			m.entry(num, key, s)
		}
	}
}

// metadataText is an entry of a session's metadata as text, if it has one.
func metadataText(value any) (string, bool) {
	if s, ok := value.(string); ok {
		return s, true
	}
	b, err := json.Marshal(value)
	return string(b), err == nil
}

// sessions remember the wire form of sessions, which change rarely and are then
// other sessions: one that is attached to an exchange is shared and never
// written to. A session is known by where it lies, which is its own as long as
// it is remembered.
type sessions struct {
	seed  maphash.Seed
	slots [1 << 10]atomic.Pointer[encoded]
}

type encoded struct {
	of shownSession
	encoding
	wire []byte // with the session's own quota
}

// A shownSession is a session and what of it a plugin may know.
type shownSession struct {
	session *grapnel.Session
	part    grapnel.SessionPart
}

// encoded is the wire form of a part of the exchange's session. Each has one slot,
// which it takes from the one that was there; a session whose quota was counted has
// that of the session which it is a copy of.
func (e *sessions) encoded(x *grapnel.Exchange, tyk bool, part grapnel.SessionPart) []byte {
	of := shownSession{x.SharedSession(), part}
	slot := &e.slots[maphash.Comparable(e.seed, of)%uint64(len(e.slots))]
	known := slot.Load()
	if known == nil || known.of != of {
		s := shown(of.session, part)
		known = &encoded{of: of, encoding: encodingOf(s, tyk)}
		known.wire = known.with(s)
		slot.Store(known)
	}
	if x.Session == of.session || part == grapnel.SessionMetadata {
		return known.wire
	}
	return known.with(x.Session)
}
