#!/usr/bin/env bash
# check-format.sh [--fix]: are all C and C++ files laid out as .clang-format says?
# The layout differs between versions of clang-format; the project's is 14 (Debian 12).
set -euo pipefail
cd "$(dirname "$0")/.."
format=$(command -v clang-format-14 || true)
[[ -n $format ]] || { echo "error: clang-format-14 is needed (Debian package clang-format-14)" >&2; exit 1; }
mapfile -t files < <(git ls-files '*.h' '*.cc' '*.c')
if [[ ${1:-} == --fix ]]; then exec "$format" -i "${files[@]}"; fi
exec "$format" --dry-run -Werror "${files[@]}"
