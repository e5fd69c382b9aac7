#!/usr/bin/env bash
# bench/report.sh HAP F.hap: how long a report from a recording takes with the symbol index there. Prints CPU time
# and elapsed time of each format, best of five, and their ratio to the limit of 0.5 s. CPU time is the figure to
# look at on a busy machine.
set -euo pipefail
hap=${1:?usage: bench/report.sh HAP F.hap}
recording=${2:?usage: bench/report.sh HAP F.hap}
limit=0.5
TIMEFORMAT='%U %S %R'
printf '%-8s %10s %12s %20s\n' format 'CPU (s)' 'elapsed (s)' "CPU / limit $limit s"
for format in text json csv lcov html; do
  best_cpu=999 best_real=999
  for _ in 1 2 3 4 5; do
    read -r user system real < <({ time "$hap" report --force --format "$format" "$recording" >/dev/null; } 2>&1)
    best_cpu=$(awk "BEGIN { c = $user + $system; print c < $best_cpu ? c : $best_cpu }")
    best_real=$(awk "BEGIN { print $real < $best_real ? $real : $best_real }")
  done
  awk "BEGIN { printf \"%-8s %10.3f %12.3f %20.2f\n\", \"$format\", $best_cpu, $best_real, $best_cpu / $limit }"
done
