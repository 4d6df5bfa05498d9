#!/usr/bin/env bash
# The tests of the sample and of the package that it is written with.
set -euo pipefail
cd "$(dirname "$0")"
./install.sh
.venv/bin/python -m unittest test_plugin
exec .venv/bin/python -m unittest discover -s ../../sdk/python/tests
