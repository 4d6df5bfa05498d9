#!/usr/bin/env bash
# Installs what is missing, from Debian: Ruby, its gRPC and Protocol Buffers.
set -euo pipefail

need() { # a check, Debian packages
  if "$1"; then return; fi
  echo "install.sh: installing the Debian packages ${*:2}" >&2
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${@:2}"; } >&2 && return
  echo "install.sh: that failed. Run it as root, or install them yourself." >&2
  exit 1
}
has_grpc() { ruby -e "require 'grpc'; require 'google/protobuf'" 2>/dev/null; }
has_minitest() { ruby -e "require 'minitest'" 2>/dev/null; }

need has_grpc ruby ruby-grpc ruby-google-protobuf
if [[ ${1-} == --test ]]; then need has_minitest ruby-minitest; fi
