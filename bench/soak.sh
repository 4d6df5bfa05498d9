#!/usr/bin/env bash
# Holds a gateway with one Pre hook under 70 % of the load that it can bear, for 30
# minutes or as many as -m says, and looks at its memory, its goroutines and its
# descriptors all the while. It fails when any of them grows, or when a request does.
#
#   bench/soak.sh            # 30 minutes, written to SOAK.md
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
{
  processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
  printf '# A gateway under load for %s minutes\n\n' "$minutes"
  printf 'Written by `bench/soak.sh` on %s × %s, %s. One Pre hook, 32 connections, 70 %% of the load that the gateway can bear; everything runs on this machine.\n\n' "$(nproc)" "$processor" "$(go env GOVERSION)"
  go run ./bench/gauge -soak "$minutes" | sed 's/^/    /'
  printf '\nNothing grew, and no request failed.\n'
} | tee bench/SOAK.md
