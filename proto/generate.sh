#!/usr/bin/env bash
# Writes the Go code of the .proto files into DIR, proto/coprocess by default.
# The plugins are those of go.mod; only protoc itself must be installed.
#
#   proto/generate.sh [DIR]
set -euo pipefail

if ! command -v protoc >/dev/null; then
  echo "generate.sh: protoc is not installed. Install it with one of:" >&2
  echo "  apt-get install protobuf-compiler    # Debian, Ubuntu" >&2
  echo "  brew install protobuf                # macOS" >&2
  echo "  https://protobuf.dev/installation    # everything else" >&2
  exit 1
fi

out=${1:-$(dirname "$0")/coprocess}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")"

plugins=$(mktemp -d)
trap 'rm -rf "$plugins"' EXIT
go build -o "$plugins/" \
  google.golang.org/protobuf/cmd/protoc-gen-go \
  google.golang.org/grpc/cmd/protoc-gen-go-grpc

PATH="$plugins:$PATH" protoc --proto_path=. \
  --go_out="$out" --go_opt=paths=source_relative \
  --go-grpc_out="$out" --go-grpc_opt=paths=source_relative \
  ./*.proto
