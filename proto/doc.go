// Package proto is the home of the wire contract between the gateway and its
// plugin servers: the .proto files, the script that makes Go code (package
// coprocess below) and other languages' bindings of them, and the tests that keep
// names and numbers as they are [W-1…W-4]. All that it does is to hand its files
// out; README.md is for plugin authors.
package proto
