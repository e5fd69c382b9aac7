#!/usr/bin/env bash
# tidy.sh [FILE...]: clang-tidy over the given sources (default: all of src/). A finding is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ -f build/dev/compile_commands.json ]] || cmake --preset dev >/dev/null
if [[ $# -gt 0 ]]; then files=("$@"); else mapfile -t files < <(git ls-files 'src/*.cc'); fi
# The compile commands are g++'s: clang does not know all of its warnings.
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build/dev \
  --extra-arg=-Wno-unknown-warning-option --warnings-as-errors='*'
