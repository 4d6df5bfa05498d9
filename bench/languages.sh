#!/usr/bin/env bash
# Measures the same Pre hook, Headers, in every sample of examples/ through one
# gateway, and writes docs/languages.md.
#
#   bench/languages.sh [-d SECONDS] [-r ROUNDS] [-c CONNECTIONS] [SAMPLE...]
#
# With names of samples it measures those, and only prints the table. Needs Go,
# wrk, and what the samples need.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=5 rounds=5 connections=32
while getopts d:r:c: option; do
  case $option in
    d) seconds=$OPTARG ;;
    r) rounds=$OPTARG ;;
    c) connections=$OPTARG ;;
    *) sed -n '5s/^# *//p' "$0" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
samples=("$@")
if (($# == 0)); then
  for run in examples/*/run.sh; do samples+=("$(basename "$(dirname "$run")")"); done
fi
for program in go wrk; do
  command -v "$program" >/dev/null || { echo "languages: $program is missing" >&2; exit 1; }
done

dir=$(mktemp -d)
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$dir"
}
trap finish EXIT

# free_port prints a TCP port at which nothing listens.
free_port() {
  local port
  while port=$((20000 + RANDOM)); (: </dev/tcp/127.0.0.1/$port) 2>/dev/null; do :; done
  echo "$port"
}

# await waits for the process $1 until the rest succeeds, or ends with its log.
await() {
  local pid=$1 log=$2
  shift 2
  until "$@" 2>/dev/null; do
    kill -0 "$pid" 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.1
  done
}
answers() { (: <"/dev/tcp/127.0.0.1/$1"); }

# start runs a command in the background, with its log in $dir/$1.log.
start() {
  local name=$1
  shift
  "$@" >"$dir/$name.log" 2>&1 &
  started+=($!)
}

go build -o "$dir" ./cmd/grapnel ./bench/upstream
upstream=$(free_port)
start upstream "$dir/upstream" -listen "127.0.0.1:$upstream"
await $! "$dir/upstream.log" answers "$upstream"

gateway=$(free_port)
plugins='' apis="  - { id: none, listen_path: /none/, target: http://127.0.0.1:$upstream }"
for name in "${samples[@]}"; do
  echo "starting $name" >&2
  start "$name" env GRAPNEL_PLUGIN_SOCKET="$dir/$name.sock" "examples/$name/run.sh"
  await $! "$dir/$name.log" grep -q '^listening on' "$dir/$name.log"
  plugins+="  $name: { target: 'unix://$dir/$name.sock', timeout: 30s }"$'\n'
  apis+=$'\n'"  - { id: $name, listen_path: /$name/, target: http://127.0.0.1:$upstream, hooks: { pre: [{ plugin: $name, hook: Headers }] } }"
done
cat >"$dir/grapnel.yaml" <<END
listen: 127.0.0.1:$gateway
admin: { listen: "" }
store: "memory:"
log: { access: false }
plugins:
${plugins}apis:
$apis
END
start gateway "$dir/grapnel" run --config "$dir/grapnel.yaml"
await $! "$dir/gateway.log" answers "$gateway"

# drive puts an API under load over so many connections for so long, and prints
# requests/s, and the median latency in microseconds.
drive() {
  wrk --latency --threads 1 --connections "$2" --duration "$3s" "http://127.0.0.1:$gateway/$1/x?remove=1" >"$dir/wrk.log"
  if grep -E 'Non-2xx|Socket errors' "$dir/wrk.log" >&2; then
    echo "languages: requests to $1 failed" >&2
    tail -n 5 "$dir/$1.log" "$dir/gateway.log" >&2
    exit 1
  fi
  awk '
    function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t * 1000000 }
    $1 == "50%" { p50 = us($2) }
    $1 == "Requests/sec:" { print $2, p50 }' "$dir/wrk.log"
}

for name in none "${samples[@]}"; do drive "$name" "$connections" 5 >/dev/null; done # warms up, which a JVM needs
for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds" >&2
  for name in none "${samples[@]}"; do
    busy=$(drive "$name" "$connections" "$seconds")
    alone=$(drive "$name" 1 "$seconds")
    echo "$name $busy $alone" >>"$dir/figures" # columns 2 and 3, 4 and 5
  done
done

# median prints the median of column $2 for the sample $1.
median() {
  awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$dir/figures" | sort -g |
    awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

table() {
  echo '| language | requests/s | added latency, µs |'
  echo '|---|---:|---:|'
  latency=$(median none 5)
  printf '| no hook | %.0f | (%.0f) |\n' "$(median none 2)" "$latency"
  for name in "${samples[@]}"; do
    title=$(sed -n "s/^| \[\(.*\)\]($name) .*/\1/p" examples/README.md)
    echo "$name $(median "$name" 2) $(median "$name" 5) ${title:-$name}"
  done | sort -k2,2 -gr | awk -v latency="$latency" '{ printf "| [%s](../examples/%s) | %.0f | %.0f |\n", $4, $1, $2, $3 - latency }'
}

if (($# > 0)); then
  table
  exit
fi
{
  cat <<'END'
# What a plugin costs, by language

Written by `bench/languages.sh`: the hook `Headers` of every sample in [examples](../examples), which sets a header and
a parameter and deletes one each, asked once before every request. One gateway, one plugin server of each language on a
Unix socket, an upstream with a fixed reply, and wrk, all on one machine.

END
  table
  cat <<END

- **requests/s**: over $connections connections, each of which waits for its reply. All processors are busy with gateway, plugin,
  upstream and wrk together, so this is the cost of a whole request.
- **added latency**: how much longer than without a hook the median request takes, over one connection, when nothing else
  is to be done. The row without a hook has the whole time, in brackets.
- Every figure is the median of $rounds rounds of $seconds s. The samples run as their \`run.sh\` starts them, one process
  each, without tuning.
- $(date +%F), $(nproc) × $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r | grep -oE '^[0-9]+\.[0-9]+'), $(go env GOVERSION), wrk $(wrk -v 2>&1 | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
END
} >"$dir/languages.md"
mv "$dir/languages.md" docs/languages.md
cat docs/languages.md
