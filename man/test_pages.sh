#!/bin/sh
# test_pages.sh HAP DIR: every command has its page, groff and mandoc accept them all, and what a page says the
# program accepts, it accepts.
set -u
hap=$1 made=$2
bad=0
fail() { echo "FAIL: $*" >&2; bad=1; }

for command in $("$hap" completion commands); do
  [ -s "$made/man1/hap-$command.1" ] || fail "no page for hap $command"
  "$hap" help "$command" | grep -q "^Usage: hap $command" || fail "hap help $command does not show its usage"
  # Every option of the help stands in the page.
  for option in $("$hap" "$command" --help | grep -oE '^  (-[a-z],)?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
    sed 's/\\-/-/g' "$made/man1/hap-$command.1" | grep -q -- "$option" || fail "hap-$command(1) lacks $option"
  done
done
for page in "$made"/man1/*.1 "$made"/man7/*.7; do
  complaints=$(LC_ALL=C.UTF-8 groff -man -Tutf8 -ww -z "$page" 2>&1)
  [ -z "$complaints" ] || fail "$page: $complaints"
  if command -v mandoc >/dev/null; then
    complaints=$(mandoc -T lint -W warning "$page" 2>&1 | grep -vE 'missing date|sections out of conventional order|lower case character in document title' )
    [ -z "$complaints" ] || fail "$page: $complaints"
  fi
done
for topic in $("$hap" help | sed -n '/^Topics/,$s/^  \([a-z-]*\) .*/\1/p'); do
  "$hap" help "$topic" >/dev/null || fail "hap help $topic"
  [ -s "$made/man7/hapmeter-$topic.7" ] || fail "no page for topic $topic"
done
long=$("$hap" help | awk 'length > 100')
[ -z "$long" ] || fail "hap help is wider than 100 columns: $long"
"$hap" help no-such-topic >/dev/null 2>&1
[ $? -eq 2 ] || fail "an unknown topic must be wrong use"
exit $bad
