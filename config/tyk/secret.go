package tyk

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// maxSecret bounds a file that a value refers to.
const maxSecret = 1 << 20

// references are the places that a value can refer to, files apart.
type references struct {
	env     environment
	secrets map[string]string // of tyk.conf
	files   bool
}

func (l *loading) references() references { return references{l.env, l.conf.Secrets, !l.published} }

// follow follows a value that refers to another place [G-4]: env://NAME,
// file:///path, secrets://key. Any other text stands for itself.
func (r references) follow(value string) (string, error) {
	scheme, name, ok := strings.Cut(value, "://")
	if !ok {
		return value, nil
	}
	switch scheme {
	case "env": // older releases had the variable's name begin so
		for _, n := range []string{name, "TYK_SECRET_" + strings.ToUpper(name)} {
			if v, ok := r.env[n]; ok {
				return v, nil
			}
		}
		return "", fmt.Errorf("%s: there is no such environment variable", value)
	case "secrets":
		if v, ok := r.secrets[name]; ok {
			return v, nil
		}
		return "", fmt.Errorf("%s: tyk.conf has no such entry in its secrets", value)
	case "file":
		if !r.files {
			return "", fmt.Errorf("%s: no files are read for a published definition", value)
		}
		v, err := readSecret(name)
		if err != nil {
			return "", fmt.Errorf("%s: %w", value, err)
		}
		return v, nil
	case "consul", "vault":
		return "", fmt.Errorf("%s: %s is not supported; use env://, file:// or secrets://", value, scheme)
	}
	return value, nil
}

// readSecret reads a file's text without the line ends that close it.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("this is not a regular file")
	case info.Size() > maxSecret:
		return "", fmt.Errorf("the file is larger than %d bytes", maxSecret)
	}
	b, err := os.ReadFile(path)
	return strings.TrimRight(string(b), "\r\n"), err
}

// followAll follows the references in all texts of a JSON value.
func (r references) followAll(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case string:
		return r.follow(v)
	case []any:
		for i := range v {
			if v[i], err = r.followAll(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = r.followAll(v[k]); err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
		}
	}
	return v, nil
}
