#!/usr/bin/env bash
# systemd's own check of the example unit: systemd_unit.sh UNIT HAP
# It is a template, and what it starts has to exist: the program of this build stands for the installed one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
installed=/usr/bin/hap
grep -q "^ExecStart=$installed " "$1" || { echo "$1 does not start $installed" >&2; exit 1; }
sed "s,$installed,$2,g" "$1" >"$folder/hapmeter-record@.service"
said=$(systemd-analyze verify --man=no "$folder/hapmeter-record@.service" 2>&1) || { echo "$said" >&2; exit 1; }
# Unknown or ignored settings are only warned of.
if [[ -n $said ]]; then echo "$said" >&2; exit 1; fi
