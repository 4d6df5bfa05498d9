#!/usr/bin/env bash
# Installs what is missing, from Debian: a compiler, CMake, gRPC and Protocol Buffers. Builds build/plugin.
set -euo pipefail
cd "$(dirname "$0")"

need() { # a check, Debian packages
  if "$1"; then return; fi
  echo "install.sh: installing the Debian packages ${*:2}" >&2
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${@:2}"; } >&2 && return
  echo "install.sh: that failed. Run it as root, or install them yourself." >&2
  exit 1
}
has_tools() {
  for tool in cmake make c++ pkg-config protoc grpc_cpp_plugin; do command -v $tool >/dev/null || return; done
  pkg-config --exists grpc++ protobuf
}
has_gtest() { [[ -e /usr/include/gtest/gtest.h ]]; }

need has_tools cmake make g++ pkg-config libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc
testing=OFF
if [[ ${1-} == --test ]]; then
  need has_gtest libgtest-dev
  testing=ON
fi
cmake -S . -B build -DBUILD_TESTING=$testing >/dev/null
cmake --build build >&2
