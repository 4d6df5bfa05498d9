#!/usr/bin/env bash
# What a fleet of plugin servers costs its callers while it is disturbed: the
# events of test/storm at full scale, written to bench/STORM.md. About seven minutes
# on a machine that does nothing else.
#
#     bench/storm.sh                    # 2,000 requests a second, 30 s for each event
#     bench/storm.sh -rate 500 -pause 2s
set -euo pipefail
cd "$(dirname "$0")/.."
report=$PWD/bench/STORM.md
scale=(-rate 2000 -pause 5s "$@")

run() { # a test, as a part of the report
  go test ./test/storm -count=1 -timeout 90m -run "^$1\$" -args "${scale[@]}" -report "$report"
}

processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
cat >"$report" <<END
# A fleet in bad weather

Written by \`make bench-storm\` on $(nproc) × $processor, $(go env GOVERSION), with a load of $(cut -d ' ' -f 1 /proc/loadavg) before the run. Everything runs on this machine: the gateway, three plugin servers as processes, and one process with the upstream and what makes the load. A test asserts the counts; times depend on the machine.

## Events

The load is open: ${scale[1]} requests a second are sent when they are due, whatever became of those before, and times count from then. Each asks the plugin server once, which takes 5 ms. Half of the requests have a hook that may be asked again (\`idempotent: true\`, \`on_error: [retry, deny]\`), half have one that may not. The settings of the plugin server are the defaults, with \`timeout: 1s\` and \`limits.in_flight: 2000\`. An event begins after 5 s, and the load goes on for 30 s or more from then.

- **failed, safe** and **plain**: requests without a good reply, of those whose hook may be asked again and those whose hook may not.
- **p99 before**, **p99 during**: from the beginning of the event to its end, which is when all is well again from the outside.
- **recovered**: from the beginning of the event until a whole second had no failure and a p99 of at most twice that before.
- **busy**: of the processors' time, by all that runs on the machine. An event begins when little else does, and is repeated when it was more than 97 %: then the times are those of a machine without time.

| event | requests | achieved, 1/s | failed, safe | failed, plain | p99 before | p99 during | longest | recovered | busy |
|---|---|---|---|---|---|---|---|---|---|
END
run TestStorm
cat >>"$report" <<'END'

## Overload

One plugin server takes 1 s for each call and is offered 5,000 requests a second for 30 s, of which it may have 1,000 at a time (`limits`, by default). A rejection is 503 with `Retry-After`. Memory is the most that the gateway ever had resident. The process that makes the load does not collect its garbage meanwhile: keeping every answer, it would stand still for longer than the gateway.

Another API, with a plugin server of its own, gets 500 requests a second all the time. **alone** is its p99 before there is any other load; **as busy**, its p99 beside as many requests of other APIs of which nothing is slow, 1,000 a second that are served and 4,000 that are refused for want of a key; **meanwhile**, its p99 beside the overload.

| | offered | answered | rejected | rejection p50 | rejection p99 | other API's p99 alone | as busy | meanwhile | memory before | at most |
|---|---|---|---|---|---|---|---|---|---|---|
END
run TestOverloadAtScale
