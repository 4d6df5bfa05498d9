#!/usr/bin/env bash
# Installs Go where it is missing, and builds the sample where it is out of date.
set -euo pipefail
cd "$(dirname "$0")"

PATH=$PATH:/usr/local/go/bin
if ! command -v go >/dev/null; then
  version=$(sed -n 's/^go //p' ../../go.mod) # Debian 12 has an older one
  echo "go sample: installing Go $version into /usr/local/go" >&2
  command -v curl >/dev/null || { apt-get update -qq && apt-get install -y -qq ca-certificates curl >/dev/null; }
  curl -fsSL "https://go.dev/dl/go$version.linux-$(dpkg --print-architecture).tar.gz" | tar -C /usr/local -xz
fi
go build -o build/sample ./sample
