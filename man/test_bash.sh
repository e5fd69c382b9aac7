#!/usr/bin/env bash
# test_bash.sh HAP SCRIPT: the completion in a real bash.
hap=$1 script=$2
PATH=$(dirname "$hap"):$PATH
# shellcheck disable=SC1090
source "$script" || exit 1
bad=0
# complete_words WORD...: what bash would offer for the last word.
offer() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _hap 2>/dev/null
  printf '%s ' "${COMPREPLY[@]}"
}
expect() {
  local wanted=$1; shift
  local got; got=$(offer "$@")
  case " $got" in *" $wanted "*) ;; *) echo "FAIL: '$*' offers '$got', not '$wanted'" >&2; bad=1 ;; esac
}
refuse() {
  local unwanted=$1; shift
  case " $(offer "$@")" in *" $unwanted "*) echo "FAIL: '$*' offers '$unwanted'" >&2; bad=1 ;; esac
}
for command in $("$hap" completion commands); do expect "$command" hap ''; done
expect list hap li
refuse doctor hap li
refuse completion hap ''                      # hidden
expect --format hap list --
expect json hap list sandboxes --format ''
expect text hap list sandboxes --format te
refuse json hap list sandboxes --format te
expect workloads hap list w
expect --output hap campaign --
refuse --output hap list --
expect --help hap doctor -
if "$hap" completion commands | grep -qx measure; then
  first=$("$hap" list sandboxes --format json | sed -n 's/^ *"name": "\([^"]*\)".*/\1/p' | head -1)
  expect "$first" hap measure --sandbox ''
fi
if "$hap" completion commands | grep -qx lab; then
  expect build hap lab ''
  expect status hap lab st
fi
cd "$(mktemp -d)" && touch 'a file.toml' && mkdir folder
expect 'a file.toml' hap campaign a
expect folder hap campaign x.toml -o f
rm -r "$PWD"
exit $bad
