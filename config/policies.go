package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/grapnel-gateway/grapnel"
)

// Policies reads policies from a JSON file that holds them by id, or from a
// folder with one in each .json file [S-10]. An empty path holds none.
func Policies(path string) (map[string]*grapnel.Policy, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	if info.IsDir() {
		return policyFolder(path)
	}
	out := map[string]*grapnel.Policy{}
	if err := readJSON(path, &out); err != nil {
		return nil, err
	}
	for id, p := range out {
		if p == nil {
			return nil, fmt.Errorf("policies: %s: %q holds nothing", path, id)
		}
		p.ID = id
	}
	return out, nil
}

func policyFolder(dir string) (map[string]*grapnel.Policy, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	out := map[string]*grapnel.Policy{}
	for _, file := range files {
		p := &grapnel.Policy{}
		if err := readJSON(file, p); err != nil {
			return nil, err
		}
		if p.ID == "" {
			p.ID = strings.TrimSuffix(filepath.Base(file), ".json")
		}
		if out[p.ID] != nil {
			return nil, fmt.Errorf("policies: %s: there is a policy %q already", file, p.ID)
		}
		out[p.ID] = p
	}
	return out, nil
}

func readJSON(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("policies: %s: %w", file, err)
	}
	return nil
}
