package fleet

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// A token is what the gateway proves itself by in every call, from a file.
type token struct{ files[string] }

// newToken reads the token; without a file there is none.
func newToken(path string, log *slog.Logger) (*token, error) {
	if path == "" {
		return nil, nil
	}
	t := &token{files[string]{paths: []string{path}, log: log}}
	t.read = func() (string, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		text := strings.TrimSpace(string(b))
		if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return "", fmt.Errorf("%s does not hold a token", path)
		}
		return "Bearer " + text, nil
	}
	return t, t.load()
}

// header is the value of the calls' authorization.
func (t *token) header() string { return t.get() }
