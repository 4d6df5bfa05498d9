#!/usr/bin/env bash
# Installs what is missing and becomes the plugin server.
set -euo pipefail
cd "$(dirname "$0")"
./install.sh
exec target/release/plugin
