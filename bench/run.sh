#!/usr/bin/env bash
# Measures the gateway and, where they are installed, its peers; README.md says
# how. Arguments go to bench/gauge: see `bench/run.sh -h`. Installs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

lacks() { ! command -v "$1" >/dev/null; }

if lacks go; then
  echo "bench: Go is missing: https://go.dev/dl" >&2
  exit 1
fi
if lacks wrk; then
  echo "bench: wrk, which makes the load, is missing: apt install wrk, brew install wrk" >&2
  exit 1
fi
if [[ ! -r /proc/self/stat ]]; then
  echo "bench: there is no /proc, from which CPU time and memory are read; run it on Linux" >&2
  exit 1
fi
for peer in nginx haproxy; do
  if lacks "$peer"; then
    echo "bench: $peer is not installed; its rows are left out" >&2
  fi
done
exec go run ./bench/gauge "$@"
