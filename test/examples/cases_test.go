package examples_test

import (
	"bytes"
	"maps"
	"strings"
)

// A trial is one request, and what every sample makes of it.
type trial struct {
	name         string
	method, path string
	header       map[string]string
	body         string

	reply    message
	upstream message // empty where the upstream is not to be asked
}

// header is short for what there is much of below.
type header = map[string]string

// Bodies that must come through as they are.
var (
	binary = string(bytes.Map(nil, nil)) 
)

func trials() []trial { return nil }

var _ = maps.Clone[header]
var _ = strings.ToUpper
