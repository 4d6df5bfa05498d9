#!/usr/bin/env bash
# Holds a gateway with one Pre hook under 70 % of the load that it can bear, for 30
# minutes or as many as -m says, and looks at its memory, its goroutines and its
# descriptors all the while. It fails when any of them grows, or when a request does.
#
#   bench/soak.sh            # 30 minutes
#   bench/soak.sh -m 5
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=30
while getopts m: flag; do
  case $flag in
    m) minutes=$OPTARG ;;
    *) exit 2 ;;
  esac
done
exec go run ./bench/gauge -soak "$minutes"
