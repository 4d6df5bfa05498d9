#!/usr/bin/env bash
# Installs what is missing: a JDK and Maven from Debian. Builds target/plugin.jar.
set -euo pipefail
cd "$(dirname "$0")"

need() { # command, Debian package
  if command -v "$1" >/dev/null; then return; fi
  echo "install.sh: installing the Debian package $2" >&2
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2"; } >&2 && return
  echo "install.sh: that failed. Run it as root, or install $1 yourself." >&2
  exit 1
}
need javac openjdk-17-jdk-headless
need mvn maven

if [[ ! -e target/plugin.jar || -n $(find pom.xml src/main ../../proto/bindings/java/src -newer target/plugin.jar -print -quit) ]]; then
  mvn -q -B -Dstyle.color=never package -DskipTests >&2
fi
