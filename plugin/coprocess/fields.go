package coprocess

import "google.golang.org/protobuf/encoding/protowire"

// The numbers of the fields that are written or read, as proto/*.proto gives
// them.
const (
	objectHookType protowire.Number = 1
	objectHookName protowire.Number = 2
	objectRequest  protowire.Number = 3
	objectSession  protowire.Number = 4
	objectMetadata protowire.Number = 5
	objectSpec     protowire.Number = 6
	objectResponse protowire.Number = 7

	requestHeaders         protowire.Number = 1
	requestSetHeaders      protowire.Number = 2
	requestDeleteHeaders   protowire.Number = 3
	requestBody            protowire.Number = 4
	requestURL             protowire.Number = 5
	requestParams          protowire.Number = 6
	requestAddParams       protowire.Number = 7
	requestExtendedParams  protowire.Number = 8
	requestDeleteParams    protowire.Number = 9
	requestReturnOverrides protowire.Number = 10
	requestMethod          protowire.Number = 11
	requestRequestURI      protowire.Number = 12
	requestScheme          protowire.Number = 13
	requestRawBody         protowire.Number = 14

	overridesResponseCode  protowire.Number = 1
	overridesResponseError protowire.Number = 2
	overridesHeaders       protowire.Number = 3
	overridesOverrideError protowire.Number = 4
	overridesResponseBody  protowire.Number = 5

	responseStatusCode        protowire.Number = 1
	responseRawBody           protowire.Number = 2
	responseBody              protowire.Number = 3
	responseHeaders           protowire.Number = 4
	responseMultivalueHeaders protowire.Number = 5

	headerKey    protowire.Number = 1
	headerValues protowire.Number = 2

	sessionLastCheck           protowire.Number = 1
	sessionAllowance           protowire.Number = 2
	sessionRate                protowire.Number = 3
	sessionPer                 protowire.Number = 4
	sessionExpires             protowire.Number = 5
	sessionQuotaMax            protowire.Number = 6
	sessionQuotaRenews         protowire.Number = 7
	sessionQuotaRemaining      protowire.Number = 8
	sessionQuotaRenewalRate    protowire.Number = 9
	sessionAccessRights        protowire.Number = 10
	sessionOrgID               protowire.Number = 11
	sessionOAuthClientID       protowire.Number = 12
	sessionOAuthKeys           protowire.Number = 13
	sessionBasicAuthData       protowire.Number = 14
	sessionJWTData             protowire.Number = 15
	sessionHMACEnabled         protowire.Number = 16
	sessionHMACSecret          protowire.Number = 17
	sessionIsInactive          protowire.Number = 18
	sessionApplyPolicyID       protowire.Number = 19
	sessionDataExpires         protowire.Number = 20
	sessionMonitor             protowire.Number = 21
	sessionDetailedRecording   protowire.Number = 22
	sessionMetadata            protowire.Number = 23
	sessionTags                protowire.Number = 24
	sessionAlias               protowire.Number = 25
	sessionLastUpdated         protowire.Number = 26
	sessionIDExtractorDeadline protowire.Number = 27
	sessionLifetime            protowire.Number = 28
	sessionApplyPolicies       protowire.Number = 29
	sessionCertificate         protowire.Number = 30
	sessionMaxQueryDepth       protowire.Number = 31
	sessionKeyID               protowire.Number = 32
	sessionPostExpiryAction    protowire.Number = 33
	sessionPostExpiryGrace     protowire.Number = 34

	rightAPIName     protowire.Number = 1
	rightAPIID       protowire.Number = 2
	rightVersions    protowire.Number = 3
	rightAllowedURLs protowire.Number = 4

	accessURL     protowire.Number = 1
	accessMethods protowire.Number = 2

	basicPassword protowire.Number = 1
	basicHash     protowire.Number = 2

	jwtSecret protowire.Number = 1

	monitorTriggerLimits protowire.Number = 1

	entryKey   protowire.Number = 1 // of every map
	entryValue protowire.Number = 2

	eventPayload protowire.Number = 1
)

// The numbers of HookType.
const (
	hookPre            = 1
	hookPost           = 2
	hookPostKeyAuth    = 3
	hookCustomKeyCheck = 4
	hookResponse       = 5
)
