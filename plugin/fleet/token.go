package fleet

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/grapnel-gateway/grapnel/pki"
)

// newToken reads what the gateway proves itself by in every call: the value of its
// authorization. Without a file there is none.
func newToken(path string, log *slog.Logger) (*pki.Files[string], error) {
	if path == "" {
		return nil, nil
	}
	return pki.Open(log, func() (string, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		text := strings.TrimSpace(string(b))
		if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return "", fmt.Errorf("%s does not hold a token", path)
		}
		return "Bearer " + text, nil
	}, path)
}
