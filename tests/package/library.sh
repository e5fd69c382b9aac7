#!/usr/bin/env bash
# library.sh BUILD SOURCE: installs the library into a fresh folder, builds examples/library against that folder
# alone, and runs it.
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/installed" --component dev >"$work/log"
cp -r "$source/examples/library" "$work/example"   # away from the tree: nothing of it can be found by chance
cmake -G Ninja -S "$work/example" -B "$work/built" -DCMAKE_PREFIX_PATH="$work/installed" \
  -DCMAKE_CXX_FLAGS="${HAP_EXAMPLE_FLAGS:-}" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --build "$work/built" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
! grep -rl "$source" "$work/installed/lib" --include='*.cmake' || { echo "FAIL: the installed package refers to the source tree"; exit 1; }
cd "$work"
built/record lean.hap kvm-qemu 40
built/record fat.hap bare 90
built/profiles "$work" lean.hap fat.hap | tee out
grep -q '^lean.hap: example in kvm-qemu$' out
grep -q '^fat.hap: example in bare$' out
# Without symbols, functions and lines are unknown: labels, not numbers made up.
grep -qE '^  executed_lines +unknown$' out
if built/profiles "$work" no-such.hap 2>err; then echo "FAIL: a missing recording is no error"; exit 1; fi
grep -q 'no-such.hap' err
