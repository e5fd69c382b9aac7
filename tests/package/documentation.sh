#!/usr/bin/env bash
# documentation.sh SOURCE DOXYGEN: the documentation of the public headers builds without a warning, and every
# header says what it is about before anything else.
set -euo pipefail
source=$1 doxygen=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source"
( cat docs/Doxyfile; echo "OUTPUT_DIRECTORY = $work"; echo "WARN_LOGFILE = $work/warnings" ) | "$doxygen" - >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
if [[ -s $work/warnings ]]; then cat "$work/warnings"; exit 1; fi
test -s "$work/html/index.html"
bad=0
for header in include/hap/*.h; do
  head -1 "$header" | grep -q '^// .' || { echo "FAIL: $header does not begin with what it is about"; bad=1; }
done
exit $bad
