// Package node is the source of the Node.js helper library, for tools that
// write plugin projects. What it does is in README.md.
package node

import "embed"

// Files are the library as npm has it: package.json, and lib.
//
//go:embed package.json lib
var Files embed.FS
