// Package python is the source of the Python helper library, for tools that
// write plugin projects. What it does is in README.md.
package python

import "embed"

// Files are the library's package, grapnel_plugin, under src.
//
//go:embed src/grapnel_plugin/*.py src/grapnel_plugin/py.typed
var Files embed.FS
