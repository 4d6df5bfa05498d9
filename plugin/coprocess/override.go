package coprocess

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/grapnel-gateway/grapnel"
)

// response is what the plugin answers in the upstream's place: a refusal,
// a response, or nothing when it lets the request pass. A code
// that cannot be a reply's status is a fault of the plugin [L-11]. Headers with
// several values count where the original is not reproduced.
func (o *overrides) response(tyk bool) (*http.Response, error) {
	code := int(o.code)
	if code <= 0 {
		return nil, nil
	}
	if !finalStatus(code) {
		return nil, fmt.Errorf("return_overrides.response_code: %d is not the status of a reply", code)
	}
	if err := checkHeaders("return_overrides.headers", o.headers); err != nil {
		return nil, err
	}
	header := make(http.Header, len(o.headers)+1)
	if !tyk {
		lines := under(nil, o.several, http.CanonicalHeaderKey)
		if err := checkLines("return_overrides.multivalue_headers", nil, lines); err != nil {
			return nil, err
		}
		for _, l := range lines {
			putValues(header, l)
		}
	}
	for name, value := range o.headers {
		header.Set(name, value)
	}
	body := o.failure // wins
	if len(body) == 0 {
		body = o.body
	}
	if code >= http.StatusBadRequest && !o.verbatim {
		message := string(body)
		if message == "" {
			message = "Key not authorised"
		}
		return nil, &grapnel.Error{Status: code, Code: grapnel.CodePluginRefused, Message: message, Header: header}
	}
	if !statusHasBody(code) {
		body = nil
	}
	body = bytes.Clone(body)
	if _, given := header["Content-Type"]; !given && len(body) > 0 {
		header.Set("Content-Type", http.DetectContentType(body))
	}
	return grapnel.Reply(code, header, body), nil
}

// finalStatus says that a code can be the status of a reply. Informational ones
// cannot: a reply follows them.
func finalStatus(code int) bool { return code >= 200 && code <= 599 }

// hasBody says that the reply with this status to a request with this method
// has a body, if only an empty one [RFC 9110 6.4.1].
func hasBody(method string, status int) bool {
	return method != http.MethodHead && statusHasBody(status)
}

func statusHasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
