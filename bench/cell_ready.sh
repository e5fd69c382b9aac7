#!/usr/bin/env bash
# cell_ready.sh [RUNS]: from the checkpoint to the service ready, in `bare`, against starting the machine alone.
# Prints each and their ratio; the machine alone is `hap lab shell -- true`, run in turn with the cell.
set -euo pipefail
cd "$(dirname "$0")/.."
hap=${HAP:-build/dev/src/cli/hap}
runs=${1:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
now() { date +%s.%N; }
for ((i = 1; i <= runs; i++)); do
  start=$(now)
  "$hap" lab shell -- true >/dev/null 2>&1
  alone=$(echo "$(now) - $start" | bc -l)
  ready=$("$hap" measure -s bare -w redis-set --profile fast -o "$dir/$i.hap" 2>/dev/null | sed 's/.*ready after \([0-9.]*\) s.*/\1/')
  printf 'run %d: machine alone %.2f s, service ready %.2f s after the cell began, together %.2f s, ratio %.2f\n' \
    "$i" "$alone" "$ready" "$(echo "$alone + $ready" | bc -l)" "$(echo "($alone + $ready) / $alone" | bc -l)"
done
