package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/grapnel-gateway/grapnel"
)

// quick is a whole configuration on the command line: one API with one plugin.
type quick struct {
	Plugin      string   `help:"Serve one API with this plugin: a file that the gateway runs, or the address of a server." placeholder:"FILE" xor:"source"`
	Upstream    string   `help:"Where the requests of that API go." placeholder:"URL"`
	Pre         []string `help:"Its hooks before authentication." placeholder:"HOOK"`
	Auth        string   `help:"Its hook that says who is calling; without one, everyone is served." placeholder:"HOOK"`
	PostKeyAuth []string `help:"Its hooks right after authentication." placeholder:"HOOK"`
	Post        []string `help:"Its hooks before the upstream." placeholder:"HOOK"`
	Response    []string `help:"Its hooks on the upstream's reply." placeholder:"HOOK"`
	ConfigData  string   `help:"Its config_data, JSON, which the hooks read." placeholder:"JSON"`
}

// configuration is the native configuration that says the same.
func (q quick) configuration() ([]byte, error) {
	if q.Upstream == "" {
		return nil, errors.New("--plugin needs --upstream, the URL that requests go to")
	}
	if err := new(grapnel.URL).UnmarshalText([]byte(q.Upstream)); err != nil {
		return nil, fmt.Errorf("--upstream: %w", err)
	}
	server, err := pluginServer(q.Plugin)
	if err != nil {
		return nil, err
	}
	api := map[string]any{"id": "plugin", "listen_path": "/", "target": q.Upstream}
	if q.ConfigData != "" {
		var data map[string]any
		if err := yaml.Unmarshal([]byte(q.ConfigData), &data); err != nil { // JSON is YAML, and its numbers stay exact
			return nil, fmt.Errorf("--config-data: %w", err)
		}
		api["config_data"] = data
	}
	hooks := map[string]any{}
	for stage, names := range map[string][]string{"pre": q.Pre, "post_key_auth": q.PostKeyAuth, "post": q.Post, "response": q.Response} {
		var list []any
		for _, name := range names {
			list = append(list, map[string]any{"plugin": "plugin", "hook": name})
		}
		if list != nil {
			hooks[stage] = list
		}
	}
	if len(hooks) > 0 {
		api["hooks"] = hooks
	}
	if q.Auth != "" {
		api["auth"] = []any{map[string]any{"plugin": "plugin", "hook": q.Auth}}
	} else if len(hooks) == 0 {
		return nil, errors.New("--plugin needs a hook to ask: --pre, --auth, --post-key-auth, --post or --response, with its name")
	}
	return yaml.Marshal(map[string]any{ // a control API without a secret would only take its port
		"store": "memory:", "admin": map[string]any{"listen": ""}, "plugins": map[string]any{"plugin": server}, "apis": []any{api},
	})
}

// pluginServer is the server at an address, or the one in a file, which is run by
// what its name ends in, or by itself when it can be executed.
func pluginServer(plugin string) (map[string]any, error) {
	info, err := os.Stat(plugin)
	if err != nil {
		if strings.Contains(plugin, ":") && !strings.HasSuffix(plugin, ":") {
			return map[string]any{"target": plugin}, nil
		}
		return nil, fmt.Errorf("--plugin: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("--plugin: %s is a folder", plugin)
	}
	path, err := filepath.Abs(plugin)
	if err != nil {
		return nil, err
	}
	with, ok := map[string][]string{
		".py": {python(path)}, ".js": {"node"}, ".mjs": {"node"}, ".ts": {"npx", "tsx"}, ".rb": {"ruby"},
		".jar": {"java", "-jar"}, ".go": {"go", "run"}, ".sh": {"sh"},
	}[filepath.Ext(path)]
	if info.Mode()&0o111 == 0 && !ok {
		return nil, fmt.Errorf("--plugin: %s cannot be executed, and nothing is known that runs it", plugin)
	}
	if info.Mode()&0o111 != 0 {
		with = nil
	}
	return map[string]any{"exec": append(with[:len(with):len(with)], path)}, nil
}

// python is what runs a file: the environment in .venv beside it, if there is one.
func python(file string) string {
	own := filepath.Join(filepath.Dir(file), ".venv", "bin", "python")
	if _, err := os.Stat(own); err == nil {
		return own
	}
	return "python3"
}

// file writes the configuration where the gateway reads it. The function that is
// returned removes it. Without a plugin there is none, and nothing to be said of it.
func (q quick) file() (path string, remove func(), err error) {
	if q.Plugin == "" {
		if !reflect.DeepEqual(q, quick{}) {
			err = errors.New("--upstream, --config-data and the hooks need --plugin")
		}
		return "", func() {}, err
	}
	text, err := q.configuration()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "grapnel-run-")
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(dir, "grapnel.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		os.RemoveAll(dir)
		return "", nil, err
	}
	return path, func() { os.RemoveAll(dir) }, nil
}
