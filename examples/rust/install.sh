#!/usr/bin/env bash
# Installs what is missing: Rust from Debian. Builds target/release/plugin.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v cargo >/dev/null; then
  # Debian 12 has a Rust for its browsers, which is newer than its own.
  packages=(rustc-web cargo-web libc6-dev ca-certificates)
  echo "install.sh: installing the Debian packages ${packages[*]}" >&2
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } >&2 || {
    echo "install.sh: that failed. Run it as root, or install Rust 1.88 or newer yourself." >&2
    exit 1
  }
fi
cargo build --quiet --release >&2
