package direct

import (
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// fields are what counts of a block of headers or trailers.
type fields struct {
	size      int // as SETTINGS_MAX_HEADER_LIST_SIZE counts
	malformed bool
	regular   bool // a field that is not a pseudo-header has come

	http        string // :status
	contentType string
	code        string // grpc-status
	message     string // grpc-message, as it came
}

// maxFields bounds the fields of an answer's headers, and of its trailers.
const maxFields = 256 << 10

// add takes the next field. Texts beyond the bound are not kept.
func (f *fields) add(h hpack.HeaderField) {
	f.size += int(h.Size())
	if f.size > maxFields {
		return
	}
	if strings.HasPrefix(h.Name, ":") {
		f.malformed = f.malformed || f.regular || h.Name != ":status" || f.http != ""
		f.http = h.Value
		return
	}
	f.regular = true
	f.malformed = f.malformed || !httpguts.ValidHeaderFieldValue(h.Value)
	switch h.Name {
	case "content-type":
		f.contentType = h.Value
	case "grpc-status":
		f.code = h.Value
	case "grpc-message":
		f.message = h.Value
	default:
		f.malformed = f.malformed || !validName(h.Name)
	}
}

// validName reports whether a name of a field is one of HTTP/2 [RFC 9113, 8.2.1].
func validName(name string) bool {
	return httpguts.ValidHeaderFieldName(name) && !strings.ContainsFunc(name, func(r rune) bool { return 'A' <= r && r <= 'Z' })
}

// check is the fault that fields have whatever they say. Trailers have no status
// of HTTP.
func (f *fields) check(trailers bool) error {
	switch {
	case f.size > maxFields:
		return status.Errorf(codes.ResourceExhausted, "the server's header fields take more than %d bytes", maxFields)
	case f.malformed, trailers != (f.http == ""):
		return status.Error(codes.Internal, "the server's header fields are malformed")
	}
	return nil
}

// accept checks that the headers begin an answer of gRPC. Where they are also its
// end, a grpc-status counts for more than that of HTTP.
func (f *fields) accept(ended bool) error {
	if (f.http == "200" || ended && f.code != "") && isGRPC(f.contentType) {
		return nil
	}
	n, err := strconv.Atoi(f.http)
	if err != nil || n < 200 {
		return status.Errorf(codes.Internal, "the server answered with status %q", f.http)
	}
	return status.Errorf(httpCode(n), "the server answered with HTTP status %d (%s) and content-type %q", n, http.StatusText(n), f.contentType)
}

func isGRPC(contentType string) bool {
	const base = "application/grpc"
	if len(contentType) < len(base) || !strings.EqualFold(contentType[:len(base)], base) {
		return false
	}
	return len(contentType) == len(base) || contentType[len(base)] == '+' || contentType[len(base)] == ';'
}

// httpCode is the code that a status of HTTP stands for where gRPC's is missing.
func httpCode(n int) codes.Code {
	switch n {
	case http.StatusBadRequest:
		return codes.Internal
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.Unimplemented
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return codes.Unavailable
	}
	return codes.Unknown
}

// status is what the trailers say came of the call; nil is success.
func (f *fields) status() error {
	if f.code == "0" {
		return nil
	}
	n, err := strconv.ParseUint(f.code, 10, 31)
	switch {
	case f.code == "":
		return status.Error(codes.Unknown, "the server ended the call without a grpc-status")
	case err != nil:
		return status.Errorf(codes.Unknown, "the server ended the call with grpc-status %q", f.code)
	}
	return status.Error(codes.Code(n), unescape(f.message))
}

// unescape takes back the percent-encoding of a grpc-message. What is no escape
// stays as it is, and what is not UTF-8 is replaced.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(n))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

// resetStatus is the failure of a call that the server has reset.
func resetStatus(code errorCode) error {
	c := codes.Internal
	switch code {
	case errRefusedStream:
		c = codes.Unavailable
	case errCancel:
		c = codes.Canceled
	case errEnhanceYourCalm, errFlowControl:
		c = codes.ResourceExhausted
	case errInadequate:
		c = codes.PermissionDenied
	}
	return status.Errorf(c, "the server reset the call: %s", code)
}
