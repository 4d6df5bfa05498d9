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
	objectFacts    protowire.Number = 1000

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

	requestMultivalueHeaders protowire.Number = 1000
	requestAppendHeaders     protowire.Number = 1001
	requestMultivalueParams  protowire.Number = 1002
	requestAppendParams      protowire.Number = 1003
	requestTrailers          protowire.Number = 1004
	requestBodyTruncated     protowire.Number = 1005
	requestBodySize          protowire.Number = 1006

	overridesResponseCode  protowire.Number = 1
	overridesResponseError protowire.Number = 2
	overridesHeaders       protowire.Number = 3
	overridesOverrideError protowire.Number = 4
	overridesResponseBody  protowire.Number = 5

	overridesMultivalueHeaders protowire.Number = 1000

	responseStatusCode        protowire.Number = 1
	responseRawBody           protowire.Number = 2
	responseBody              protowire.Number = 3
	responseHeaders           protowire.Number = 4
	responseMultivalueHeaders protowire.Number = 5
	responseTrailers          protowire.Number = 1000
	responseBodyTruncated     protowire.Number = 1001
	responseBodySize          protowire.Number = 1002

	headerKey    protowire.Number = 1 // as the name of a Param
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

	sessionThrottleInterval    protowire.Number = 1000
	sessionThrottleRetryLimit  protowire.Number = 1001
	sessionDateCreated         protowire.Number = 1002
	sessionSignatureValidation protowire.Number = 1003
	sessionRSACertificateID    protowire.Number = 1004
	sessionMetadataJSON        protowire.Number = 1005
	sessionExtra               protowire.Number = 1006

	rightAPIName     protowire.Number = 1
	rightAPIID       protowire.Number = 2
	rightVersions    protowire.Number = 3
	rightAllowedURLs protowire.Number = 4

	rightLimit          protowire.Number = 1000
	rightAllowanceScope protowire.Number = 1001
	rightEndpoints      protowire.Number = 1002
	rightExtra          protowire.Number = 1003

	limitRate               protowire.Number = 1
	limitPer                protowire.Number = 2
	limitThrottleInterval   protowire.Number = 3
	limitThrottleRetryLimit protowire.Number = 4
	limitMaxQueryDepth      protowire.Number = 5
	limitQuotaMax           protowire.Number = 6
	limitQuotaRenews        protowire.Number = 7
	limitQuotaRemaining     protowire.Number = 8
	limitQuotaRenewalRate   protowire.Number = 9

	endpointPath    protowire.Number = 1
	endpointMethods protowire.Number = 2

	methodName protowire.Number = 1
	methodRate protowire.Number = 2
	methodPer  protowire.Number = 3

	accessURL     protowire.Number = 1
	accessMethods protowire.Number = 2

	basicPassword protowire.Number = 1
	basicHash     protowire.Number = 2

	jwtSecret protowire.Number = 1

	monitorTriggerLimits protowire.Number = 1

	factsClient      protowire.Number = 1
	factsTLS         protowire.Number = 2
	factsCertificate protowire.Number = 3
	factsRoute       protowire.Number = 4
	factsClaims      protowire.Number = 5
	factsGraphQL     protowire.Number = 6
	factsForm        protowire.Number = 7

	clientAddress  protowire.Number = 1
	clientPeer     protowire.Number = 2
	clientProtocol protowire.Number = 3

	tlsVersion     protowire.Number = 1
	tlsCipherSuite protowire.Number = 2
	tlsServerName  protowire.Number = 3
	tlsProtocol    protowire.Number = 4

	certificatePEM            protowire.Number = 1
	certificateFingerprint    protowire.Number = 2
	certificateSubject        protowire.Number = 3
	certificateIssuer         protowire.Number = 4
	certificateSerial         protowire.Number = 5
	certificateDNSNames       protowire.Number = 6
	certificateIPAddresses    protowire.Number = 7
	certificateEmailAddresses protowire.Number = 8
	certificateURIs           protowire.Number = 9
	certificateChain          protowire.Number = 10
	certificateNotBefore      protowire.Number = 11
	certificateNotAfter       protowire.Number = 12
	certificateVerified       protowire.Number = 13

	routeRequestID   protowire.Number = 1
	routeAPIName     protowire.Number = 2
	routeListenPath  protowire.Number = 3
	routeMatchedPath protowire.Number = 4
	routeVersion     protowire.Number = 5
	routeTargets     protowire.Number = 6
	routeReceived    protowire.Number = 7

	graphQLOperations protowire.Number = 1
	graphQLDepth      protowire.Number = 2
	graphQLComplexity protowire.Number = 3
	graphQLAliases    protowire.Number = 4

	operationKind       protowire.Number = 1
	operationName       protowire.Number = 2
	operationType       protowire.Number = 3
	operationRootFields protowire.Number = 4
	operationDepth      protowire.Number = 5
	operationComplexity protowire.Number = 6
	operationAliases    protowire.Number = 7

	entryKey   protowire.Number = 1 // of every map
	entryValue protowire.Number = 2

	eventPayload protowire.Number = 1

	chunkObject   protowire.Number = 1
	chunkData     protowire.Number = 2
	chunkEnd      protowire.Number = 3
	chunkTrailers protowire.Number = 4
)

// The numbers of HookType.
const (
	hookPre            = 1
	hookPost           = 2
	hookPostKeyAuth    = 3
	hookCustomKeyCheck = 4
	hookResponse       = 5
)
