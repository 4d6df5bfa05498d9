package grapnel

import (
	"errors"
	"fmt"
	"net/http"
)

// A Code says what kind of failure an [Error] is. Codes are stable: logs,
// metrics and alerts are built on them.
type Code string

// The codes, by who is at fault.
const (
	CodeBadRequest       Code = "bad_request"
	CodeBodyTooLarge     Code = "body_too_large"
	CodeGraphQL          Code = "graphql" // told in the form of a GraphQL reply
	CodeClientGone       Code = "client_gone"
	CodeNotFound         Code = "not_found"
	CodeForbidden        Code = "forbidden"
	CodeUnauthorized     Code = "unauthorized"
	CodeLimited          Code = "limited"
	CodePluginRefused    Code = "plugin_refused"
	CodePluginFailed     Code = "plugin_failed"
	CodeUpstreamFailed   Code = "upstream_failed"
	CodeUpstreamTimeout  Code = "upstream_timeout"
	CodeUpstreamTooLarge Code = "upstream_too_large"
	CodeStoreUnavailable Code = "store_unavailable"
	CodeKeysUnavailable  Code = "keys_unavailable" // no issuer's keys could be fetched
	CodeInternal         Code = "internal"
)

// An Error is a failure of an exchange: a status and a message for the client,
// a code for machines, and a cause for the operator that no client ever sees.
type Error struct {
	Status  int         // the HTTP status of the reply
	Code    Code        // the kind of failure
	Message string      // told to the client
	Header  http.Header // added to the reply; may be nil
	Err     error       // told to the log only; may be nil
	Told    bool        // the log knows of it: there may be thousands a second
	// Reply is what the client gets in place of the message, where a hook was
	// asked about that; else nil.
	Reply *http.Response
}

// Error describes the failure for the log.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("%s: %v", e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// StatusClientGone is logged for an exchange whose client left before the
// reply [P-12].
const StatusClientGone = 499

// AsError finds the [Error] in err, or makes an internal one of it, so that
// every failure has a status, and its details stay with the operator.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Status: http.StatusInternalServerError, Code: CodeInternal, Message: "Internal Server Error", Err: err}
}

// Unavailable is the answer while a store cannot say who is calling or how much
// is left: nobody is let through. What is an [Error] already stays as it is.
func Unavailable(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{
		Status: http.StatusServiceUnavailable, Code: CodeStoreUnavailable, Message: "Service temporarily unavailable.",
		Header: http.Header{"Retry-After": {"1"}}, Err: err,
	}
}
