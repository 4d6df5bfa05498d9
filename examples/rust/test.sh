#!/usr/bin/env bash
# Installs what is missing and tests the hooks.
set -euo pipefail
cd "$(dirname "$0")"
./install.sh
exec cargo test --quiet --release
