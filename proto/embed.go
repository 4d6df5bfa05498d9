package proto

import "embed"

// Files are the contract as files, for tools that write plugin projects: the
// .proto files, and the bindings of the languages whose projects carry them
// along. The paths are those of this folder.
//
//go:embed *.proto coprocess/*.pb.go
//go:embed bindings/python/src/*.py bindings/python/src/*.pyi bindings/python/src/coprocess/*.py
//go:embed bindings/node/package.json bindings/node/lib
//go:embed bindings/ruby/lib bindings/rust/src/generated
var Files embed.FS
