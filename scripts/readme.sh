#!/usr/bin/env bash
# readme.sh [--check]: runs every command whose output README.md shows, and puts the output there.
#
# In README.md such a block is
#
#   <!-- run: hap list workloads -->
#   ```console
#   $ hap list workloads
#   ...
#   ```
#   <!-- end -->
#
# Commands run at the top of the tree with the built `hap` on PATH; recordings are those of ./quickstart. A command that
# is not there or fails leaves README.md untouched. `head=N` after `run` keeps the first N lines and says so.
# The screenshot docs/report.png is made anew too, where there is a chromium. --check changes nothing, and fails when a block is not what its command prints.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
for build in build/release build/dev "${HAP_BUILD:-}"; do
  [[ -n $build && -x $build/src/cli/hap ]] && PATH=$PWD/$build/src/cli:$PATH
done
command -v hap >/dev/null || fail "hap is not built; run ./quickstart first"
ls out/quickstart/*.hap >/dev/null 2>&1 || fail "there are no recordings; run ./quickstart first"

new=$(mktemp)
trap 'rm -f "$new" "$new.out" "$new.html"' EXIT
inside=0
while IFS= read -r line; do
  if [[ $line =~ ^'<!-- run'(' head='([0-9]+))?': '(.*)' -->'$ ]]; then
    limit=${BASH_REMATCH[2]} command=${BASH_REMATCH[3]} inside=1
    echo "$command" >&2
    # Colour, progress and the width of this terminal must not show.
    status=0
    NO_COLOR=1 COLUMNS=100 bash -o pipefail -c "$command" >"$new.out" 2>/dev/null </dev/null || status=$?
    [[ $status -eq 0 || $status -eq 3 ]] || fail "exit status $status: $command"
    { printf '%s\n```console\n$ %s\n' "$line" "$command"
      if [[ -n $limit && $(wc -l <"$new.out") -gt $limit ]]; then
        head -n "$limit" "$new.out"
        printf '... (%d more lines)\n' $(($(wc -l <"$new.out") - limit))
      else
        cat "$new.out"
      fi
      printf '```\n'; } >>"$new"
  elif [[ $line == '<!-- end -->' ]]; then
    inside=0
    printf '%s\n' "$line" >>"$new"
  elif [[ $inside -eq 0 ]]; then
    printf '%s\n' "$line" >>"$new"
  fi
done <README.md
[[ $inside -eq 0 ]] || fail "a block of README.md has no end"
if [[ ${1:-} == --check ]]; then
  diff -u README.md "$new" || fail "README.md is not what the commands print; run scripts/readme.sh"
else
  cat "$new" >README.md
  # The screenshot: the top of the page that compares the quickstart's recordings.
  if chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome); then
    hap compare --format html out/quickstart >"$new.html"
    "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1200,1000 \
      --virtual-time-budget=8000 --screenshot=docs/report.png "file://$new.html" 2>/dev/null || fail "no screenshot"
    echo "docs/report.png" >&2
  fi
fi
