#!/usr/bin/env bash
# sanitize.sh asan|tsan: builds the unit tests with that preset and runs them.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" --target unit_tests
ctest --test-dir "build/$preset" --output-on-failure -L '^unit$'
