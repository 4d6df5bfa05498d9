#!/usr/bin/env bash
# Installs Go where it is missing, and builds the sample where it is out of date.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v go >/dev/null; then
  echo "go sample: installing Go (apt-get install golang)" >&2
  apt-get update -qq
  apt-get install -y -qq golang >/dev/null
fi
go build -o build/sample ./sample
