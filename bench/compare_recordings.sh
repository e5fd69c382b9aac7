#!/usr/bin/env bash
# bench/compare_recordings.sh HAP DIR: how long `hap compare DIR` takes when this user's cache has the symbols but
# has seen none of the recordings (first), right after that (second), and when every recording is analysed
# (--fresh). Prints CPU time and elapsed time of each, the time of the first over that of the second, and the
# ratio to the limit of 2 s for 200 recordings. CPU time is the figure to look at on a busy machine.
set -euo pipefail
hap=$(realpath "${1:?usage: bench/compare_recordings.sh HAP DIR}")
recordings=${2:?usage: bench/compare_recordings.sh HAP DIR}
limit=2
index=${HAP_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/hapmeter}/index
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
ln -s "$index" "$cache/index"
TIMEFORMAT='%U %S %R'

# compare ROW [OPTION...]: measures and prints one row; leaves the CPU time in $cpu.
compare() {
  local row=$1 user system real
  shift
  read -r user system real < <({ time HAP_CACHE_DIR=$cache "$hap" compare --format json "$@" "$recordings" >"$cache/$row.json"; } 2>&1)
  cpu=$(awk "BEGIN { print $user + $system }")
  awk "BEGIN { printf \"%-8s %10.2f %12.2f %20.2f\n\", \"$row\", $cpu, $real, $cpu / $limit }"
}

find "$recordings" -name '*.hap' | wc -l | xargs printf '%d recordings\n'
printf '%-8s %10s %12s %20s\n' run 'CPU (s)' 'elapsed (s)' "CPU / limit $limit s"
compare first
first=$cpu
compare second
awk "BEGIN { printf \"first / second: %.2f\n\", $first / $cpu }"
compare fresh --fresh
cmp "$cache/first.json" "$cache/second.json"
cmp "$cache/first.json" "$cache/fresh.json"
