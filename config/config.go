// Package config reads the gateway's own configuration: one file of YAML or
// JSON, decoded strictly into [grapnel.Config], completed and checked.
//
// Nothing is ignored: a key that means nothing, a key that stands twice and a
// value of the wrong kind are errors. All that is wrong with a file is told at
// once, one problem a line, each with its file, line and path:
//
//	grapnel.yaml:12: apis[2].hooks.pre[0].plguin: unknown key; did you mean "plugin"?
//
// The keys are the yaml tags of the root package's structs, the defaults their
// SetDefaults methods, and docs/configuration.md is generated from both.
package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/grapnel-gateway/grapnel"
	"go.yaml.in/yaml/v3"
)

// Load reads the configuration file at path; see [Parse]. File names in it
// are relative to the working directory.
func Load(path string, getenv func(string) (string, bool)) (*grapnel.Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, getenv)
}

// Parse reads a configuration, replaces ${NAME} and ${NAME:-default} in its
// values by what getenv has, and completes and checks it as [Finish] does. The
// name stands for the file in errors. The error, if any, holds every problem
// that was found, one a line and in the order of the file.
func Parse(name string, data []byte, getenv func(string) (string, bool)) (*grapnel.Config, error) {
	r := newReport(name)
	root := document(r, data)
	if root == nil {
		return nil, r.err()
	}
	c := new(grapnel.Config)
	decode(r, root, c, getenv)
	finish(c, r)
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Decode reads a part of a configuration, as JSON, into what it is in the root
// package: as strictly as Parse, and without variables. The error holds every
// problem, one a line, each with its path in the part.
func Decode(data []byte, into any) error {
	r := newReport("")
	if root := document(r, data); root != nil {
		decode(r, root, into, func(string) (string, bool) { return "", false })
	}
	return r.err()
}

// Finish completes a configuration that came from elsewhere and checks it:
// what was left to be inherited (timeouts, body limits, names) is filled in, so
// that no other package meets [grapnel.Inherit] or an empty target list. The
// error holds every problem, one a line, each with its path. Doing it twice
// changes nothing.
func Finish(c *grapnel.Config) error {
	r := newReport("")
	finish(c, r)
	return r.err()
}

func finish(c *grapnel.Config, r *report) {
	fill(c)
	validate(c, r)
}

// document returns the one document of a file, or nil when there is none or
// more than one, or when it is no YAML.
func document(r *report, data []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(protect(asYAML(data))))
	var first, second yaml.Node
	if err := dec.Decode(&first); errors.Is(err, io.EOF) {
		r.at(0, "", "the file is empty; it needs at least one API")
		return nil
	} else if err != nil {
		syntax(r, err)
		return nil
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		r.at(second.Line, "", "a second document begins here; a configuration is one document")
		return nil
	case !errors.Is(err, io.EOF):
		syntax(r, err)
		return nil
	}
	return first.Content[0]
}

var (
	// position finds the line in the parser's messages.
	position = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	// grammar matches the messages whose lines the parser counts from 0.
	grammar = regexp.MustCompile(`^did not find expected (<|node content|key|'-' indicator|',' or)`)
)

// syntax reports a complaint of the parser as one of ours.
func syntax(r *report, err error) {
	message, line := err.Error(), 0
	if m := position.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		line, _ = strconv.Atoi(m[1])
	}
	switch {
	case strings.HasPrefix(message, "unknown anchor"): // comes without a line
	case line == 0 || grammar.MatchString(message):
		line++
	}
	r.at(line, "", "%s", message)
}

// escape matches the escapes of JSON's strings; pairs of surrogates are one.
var escape = regexp.MustCompile(`\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|.)`)

// asYAML replaces in JSON the escapes that YAML does not have: \/ and pairs of
// surrogates. Other text stays as it is.
func asYAML(data []byte) []byte {
	if !json.Valid(data) {
		return data
	}
	return escape.ReplaceAllFunc(data, func(m []byte) []byte {
		var text string
		if len(m) == len(`\/`) && m[1] != '/' || json.Unmarshal([]byte(`"`+string(m)+`"`), &text) != nil {
			return m
		}
		return []byte(text)
	})
}
