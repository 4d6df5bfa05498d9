#!/usr/bin/env bash
# Writes everything that is made from the .proto files: package coprocess for Go,
# and bindings/ for the other languages, with their checksums in GENERATED. The
# generators are pinned and fetched into ~/.cache/grapnel-generate.
#
#   proto/generate.sh           writes
#   proto/generate.sh --check   writes nothing, and fails if it would change a byte
set -euo pipefail
export LC_ALL=C

die() { echo "generate.sh: $*" >&2 && exit 1; }

case ${*-} in
  '' | --check) mode=${1-} ;;
  *) die "usage: proto/generate.sh [--check]" ;;
esac

here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
cd "$here"
here=$PWD
. generate/versions.sh
. generate/tools.sh
. generate/languages.sh

need_commands
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install_tools

out=$work/out
mkdir "$out"
for language in descriptors go python ruby java cpp node csharp objc php rust; do
  echo "generating $language" >&2
  "generate_$language"
done

# The checksums of all that goes in, then of all that comes out.
{
  echo "# Written by generate.sh: what went in, and what came out. To check: sha256sum -c GENERATED"
  find ./*.proto generate -type f ! -path '*/node_modules/*' ! -path '*/target/*' | sed 's|^\./||' | sort | xargs sha256sum
  (cd "$out" && find . -type f | sed 's|^\./||' | sort | xargs sha256sum)
} >"$work/GENERATED"

if [[ $mode == --check ]]; then
  diff GENERATED "$work/GENERATED" >&2 || die "stale (<) against generated now (>): run make generate"
  sha256sum --quiet --check GENERATED >&2 || die "edited by hand: run make generate"
  exit
fi

if [[ -f GENERATED ]]; then
  sed -n -E 's/^[0-9a-f]{64}  ((coprocess|bindings)\/)/\1/p' GENERATED | xargs -r rm -f --
fi
cp -R "$out/." .
cp "$work/GENERATED" GENERATED
