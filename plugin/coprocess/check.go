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
	limitKind
	endpointKind
	methodKind
	factsKind
	clientKind
	tlsKind
	certificateKind
	routeKind
	graphQLKind
	queryKind
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
		case responseMultivalueHeaders, responseTrailers:
			return headerKind
		}
	case overridesKind:
		switch num {
		case overridesResponseError, overridesResponseBody:
			return textual
		case overridesHeaders:
			return entries
		case overridesMultivalueHeaders:
			return headerKind
		}
	case rightEntry:
		switch num {
		case entryKey:
			return textual
		case entryValue:
			return rightKind
		}
	case rightKind:
		return rightField(num)
	case endpointKind:
		switch num {
		case endpointPath:
			return textual
		case endpointMethods:
			return methodKind
		}
	case headerKind, accessKind, basicKind: // two strings each
		if num <= 2 {
			return textual
		}
	case jwtKind, methodKind: // one
		if num == 1 {
			return textual
		}
	case factsKind, clientKind, tlsKind, certificateKind, routeKind, graphQLKind, queryKind:
		return k.fact(num)
	case monitorKind:
		if num == monitorTriggerLimits {
			return doubles
		}
	}
	return opaque
}

// fact is the kind of a field of a message about facts. Their texts come first.
func (k kind) fact(num protowire.Number) kind {
	var texts protowire.Number
	switch k {
	case factsKind:
		switch num {
		case factsClient:
			return clientKind
		case factsTLS:
			return tlsKind
		case factsCertificate:
			return certificateKind
		case factsRoute:
			return routeKind
		case factsClaims:
			return textual
		case factsGraphQL:
			return graphQLKind
		case factsForm:
			return headerKind // has the same fields
		}
	case graphQLKind:
		if num == graphQLOperations {
			return queryKind
		}
	case clientKind:
		texts = clientProtocol
	case tlsKind:
		texts = tlsProtocol
	case certificateKind:
		texts = certificateChain
	case routeKind:
		texts = routeTargets
	case queryKind:
		texts = operationRootFields
	}
	if num <= texts {
		return textual
	}
	return opaque
}

func rightField(num protowire.Number) kind {
	switch num {
	case rightAPIName, rightAPIID, rightVersions, rightAllowanceScope:
		return textual
	case rightAllowedURLs:
		return accessKind
	case rightLimit:
		return limitKind
	case rightEndpoints:
		return endpointKind
	case rightExtra:
		return entries
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
	case objectFacts:
		return factsKind
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
	case requestMultivalueHeaders, requestAppendHeaders, requestMultivalueParams, requestAppendParams, requestTrailers:
		return headerKind // a Param has the same fields
	}
	return opaque
}

func sessionField(num protowire.Number) kind {
	switch num {
	case sessionAccessRights:
		return rightEntry
	case sessionOAuthKeys, sessionMetadata, sessionMetadataJSON, sessionExtra:
		return entries
	case sessionBasicAuthData:
		return basicKind
	case sessionJWTData:
		return jwtKind
	case sessionMonitor:
		return monitorKind
	case sessionOrgID, sessionOAuthClientID, sessionHMACSecret, sessionApplyPolicyID, sessionTags, sessionAlias, sessionLastUpdated,
		sessionApplyPolicies, sessionCertificate, sessionKeyID, sessionPostExpiryAction, sessionDateCreated, sessionRSACertificateID:
		return textual
	}
	return opaque
}
