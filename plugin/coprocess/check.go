package coprocess

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// A kind is what the bytes of a field that has a length hold.
type kind uint8

const (
	opaque  kind = iota // bytes, and fields that nobody here knows
	textual             // a string
	doubles             // packed
	entries             // the entry of a map between strings
	objectKind
	requestKind
	overridesKind
	responseKind
	headerKind
	sessionKind
	rightEntry // of a session's access rights
	rightKind
	accessKind
	basicKind
	jwtKind
	monitorKind
)

// check finds the faults of what an answer says but nobody reads: an answer is
// good or bad as a whole.
func check(b []byte, k kind) error {
	switch k {
	case opaque:
		return nil
	case textual:
		return checkText(b)
	case doubles:
		if len(b)%8 != 0 {
			return errMalformed
		}
		return nil
	case entries:
		_, _, err := entry(b)
		return err
	}
	f := fields{rest: b}
	for f.next() {
		if f.typ != protowire.BytesType {
			continue
		}
		var err error
		switch inner := k.field(f.num); inner {
		case opaque:
		case textual: // most of them
			err = checkText(f.bytes)
		default:
			err = check(f.bytes, inner)
		}
		if err != nil {
			return err
		}
	}
	return f.err
}

func checkText(b []byte) error {
	if !utf8.Valid(b) {
		return errNotUTF8
	}
	return nil
}

// field is the kind of a field of a message of this kind.
func (k kind) field(num protowire.Number) kind {
	switch k {
	case objectKind:
		return objectField(num)
	case requestKind:
		return requestField(num)
	case sessionKind:
		return sessionField(num)
	case responseKind:
		switch num {
		case responseBody:
			return textual
		case responseHeaders:
			return entries
		case responseMultivalueHeaders:
			return headerKind
		}
	case overridesKind:
		switch num {
		case overridesResponseError, overridesResponseBody:
			return textual
		case overridesHeaders:
			return entries
		}
	case rightEntry:
		switch num {
		case entryKey:
			return textual
		case entryValue:
			return rightKind
		}
	case rightKind:
		switch num {
		case rightAPIName, rightAPIID, rightVersions:
			return textual
		case rightAllowedURLs:
			return accessKind
		}
	case headerKind, accessKind, basicKind: // two strings each
		if num <= 2 {
			return textual
		}
	case jwtKind:
		if num == jwtSecret {
			return textual
		}
	case monitorKind:
		if num == monitorTriggerLimits {
			return doubles
		}
	}
	return opaque
}

func objectField(num protowire.Number) kind {
	switch num {
	case objectHookName:
		return textual
	case objectRequest:
		return requestKind
	case objectSession:
		return sessionKind
	case objectMetadata, objectSpec:
		return entries
	case objectResponse:
		return responseKind
	}
	return opaque
}

func requestField(num protowire.Number) kind {
	switch num {
	case requestHeaders, requestSetHeaders, requestParams, requestAddParams, requestExtendedParams:
		return entries
	case requestDeleteHeaders, requestBody, requestURL, requestDeleteParams, requestMethod, requestRequestURI, requestScheme:
		return textual
	case requestReturnOverrides:
		return overridesKind
	}
	return opaque
}

func sessionField(num protowire.Number) kind {
	switch num {
	case sessionAccessRights:
		return rightEntry
	case sessionOAuthKeys, sessionMetadata:
		return entries
	case sessionBasicAuthData:
		return basicKind
	case sessionJWTData:
		return jwtKind
	case sessionMonitor:
		return monitorKind
	case sessionOrgID, sessionOAuthClientID, sessionHMACSecret, sessionApplyPolicyID, sessionTags, sessionAlias, sessionLastUpdated,
		sessionApplyPolicies, sessionCertificate, sessionKeyID, sessionPostExpiryAction:
		return textual
	}
	return opaque
}
