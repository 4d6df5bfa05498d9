#!/usr/bin/env bash
# Installs Python where it is missing, and what the sample needs into .venv.
set -euo pipefail
cd "$(dirname "$0")"
repository=../..

# What is installed is as new as these.
sources=("$repository"/sdk/python/{pyproject.toml,src} "$repository"/proto/bindings/python)
if [[ ! -e .venv/installed || -n $(find "${sources[@]}" -newer .venv/installed -not -path '*/__pycache__*' -print -quit) ]]; then
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    echo "python sample: installing Python (apt-get install python3-venv)" >&2
    apt-get update -qq
    apt-get install -y -qq python3-venv >/dev/null
  fi
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps \
    "$repository/proto/bindings/python" "$repository/sdk/python"
  .venv/bin/pip install --quiet --disable-pip-version-check "$repository/sdk/python"
  touch .venv/installed
fi
