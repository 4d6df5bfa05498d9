package coprocess

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// checkHeaders refuses header fields that a plugin must not set: names and
// values that HTTP forbids, and how messages are framed.
func checkHeaders(field string, headers map[string]string) error {
	for name, value := range headers {
		err := checkName(name)
		if err == nil {
			err = checkValue(value)
		}
		if err != nil {
			return fmt.Errorf("%s[%.64q]: %w", field, name, err)
		}
	}
	return nil
}

func checkName(name string) error {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return errors.New("not a header name")
	case strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding"):
		return errors.New("the gateway frames messages itself")
	}
	return nil
}

func checkValue(value string) error {
	switch {
	case httpguts.ValidHeaderFieldValue(value):
		return nil
	case strings.ContainsAny(value, "\r\n"):
		return errors.New("value has a line break")
	case strings.Contains(value, "\x00"):
		return errors.New("value has a NUL byte")
	}
	return errors.New("value has a control character")
}

// headerName is the name under which a header that the plugin set is kept:
// canonical, or as the plugin wrote it when the server is configured so [A-5,
// The host and the headers of a connection are canonical always: nobody
// would find them under other names.
func (c *Client) headerName(name string) string {
	canonical := http.CanonicalHeaderKey(name)
	if c.verbatim && canonical != "Host" && !ofConnection(canonical) {
		return name
	}
	return canonical
}

// ofConnection says that a header concerns one connection, not the message [RFC
// 9110 7.6.1], or says where the message ends.
func ofConnection(canonical string) bool {
	switch canonical {
	case "Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}
