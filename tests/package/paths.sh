#!/usr/bin/env bash
# paths.sh SOURCE: what the documentation names is there. Paths in backticks and links between pages, in docs/, README,
# CONTRIBUTING and SECURITY; `<name>` in a path stands for any name.
set -euo pipefail
cd "$1"
bad=0
complain() { echo "FAIL: $1 names $2, which is not there" >&2; bad=1; }
checked=0
for page in README.md CONTRIBUTING.md SECURITY.md docs/*.md docs/recipes/*.md; do
  while IFS= read -r path; do
    checked=$((checked + 1))
    # A program is named without the .cc it is built from.
    compgen -G "$path" >/dev/null || compgen -G "$path.cc" >/dev/null || complain "$page" "$path"
  done < <(grep -oE '`(\./)?(src|include|tests|docs|data|fuzz|bench|examples|scripts|man|web|cmake|bpf|emulator-plugin)/[A-Za-z0-9_./<>*-]*`' "$page" |
    tr -d '`' | sed 's/<[a-z]*>/*/g' | sort -u)
  while IFS= read -r link; do
    checked=$((checked + 1))
    [[ -e $(dirname "$page")/$link ]] || complain "$page" "$link"
  done < <(grep -oE '\]\([^)#]+' "$page" | sed 's/^](//' | grep -vE '^[a-z]+:' | sort -u)
done
# The recipes are about these; a page that lost its paths would pass everything above.
for recipe in collector sandbox workload metric format; do
  [[ -s docs/recipes/$recipe.md ]] || complain docs/recipes "$recipe.md"
done
[[ $checked -gt 60 ]] || { echo "FAIL: only $checked paths were found in the documentation" >&2; bad=1; }
exit $bad
