#!/usr/bin/env bash
# Builds the sample where it is out of date, and runs it in place of this shell.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v go >/dev/null; then
  echo "go sample: installing Go (apt-get install golang)" >&2
  apt-get update -qq
  apt-get install -y -qq golang >/dev/null
fi
go build -o build/sample ./sample
exec build/sample
