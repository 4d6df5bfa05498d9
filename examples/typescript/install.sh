#!/usr/bin/env bash
# Installs what is missing: Node.js from Debian, the rest into node_modules. Compiles into build.
set -euo pipefail
cd "$(dirname "$0")"

need() { # command, Debian package
  if command -v "$1" >/dev/null; then return; fi
  echo "install.sh: installing the Debian package $2" >&2
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2"; } >&2 && return
  echo "install.sh: that failed. Run it as root, or install $1 yourself." >&2
  exit 1
}
need node nodejs
need npm npm

# The bindings and the helper library are copied, so a change to them counts too.
node=(../../sdk/node ../../proto/bindings/node)
if [[ ! -e node_modules/.done || -n $(find package.json "${node[@]/%//lib}" "${node[@]/%//package.json}" -newer node_modules/.done -print -quit) ]]; then
  rm -rf node_modules build
  npm install --no-audit --no-fund >&2
  touch node_modules/.done
fi
if [[ ! -e build/plugin.js || -n $(find tsconfig.json src -newer build/plugin.js -print -quit) ]]; then
  npx tsc >&2
fi
