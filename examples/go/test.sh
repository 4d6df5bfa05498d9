#!/usr/bin/env bash
# The tests of the sample and of the package that it is written with.
set -euo pipefail
cd "$(dirname "$0")"
./install.sh
PATH=$PATH:/usr/local/go/bin exec go test ./sample ../../sdk
