#!/usr/bin/env bash
# debian.sh BUILD SOURCE [SUITE]: the Debian package of this build (or a folder with the packages) installs and works on
# a clean root of the release it was built on (default: this machine's). Needs root and the package archive.
set -euo pipefail
build=$1 source=$2
suite=${3:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
work=$(mktemp -d)
root=$work/root
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
step() { printf '== %s (%s s)\n' "$1" "$SECONDS"; }

step "package"
if [[ -f $build/CPackConfig.cmake ]]; then
  (cd "$build" && cpack -G DEB -D CPACK_COMPONENTS_ALL=program -B "$work/deb" >"$work/cpack.log" 2>&1) || { cat "$work/cpack.log"; fail "cpack"; }
  deb=$(ls "$work"/deb/hapmeter_*.deb)
else
  deb=$(ls "$build"/hapmeter_*.deb)
fi
for part in ./usr/bin/hap ./usr/libexec/hapmeter/hap-agent ./usr/libexec/hapmeter/libhap-emulator.so \
  ./usr/share/hapmeter/ledger/rules.toml ./usr/share/man/man1/hap-report.1.gz ./usr/share/man/man7/hapmeter-metrics.7.gz \
  ./usr/share/bash-completion/completions/hap ./usr/share/zsh/vendor-completions/_hap ./usr/share/doc/hapmeter/copyright; do
  dpkg-deb -c "$deb" | awk '{ print $6 }' | grep -xF "$part" >/dev/null || fail "the package lacks $part"
done

step "a clean root of $suite"
"$source/scripts/debian-root.sh" "$suite" "$root" man-db bash-completion
cp "$deb" "$root/tmp/hapmeter.deb"
mount -t proc proc "$root/proc"  # programs find their files by /proc/self/exe
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }

step "installation"
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends /tmp/hapmeter.deb >"$work/install.log" 2>&1 || { cat "$work/install.log"; fail "apt-get install"; }

step "use"
[[ $(inside hap --version) == "hapmeter "[0-9]* ]] || fail "hap --version"
inside hap list sandboxes | grep docker-default >/dev/null || fail "hap list sandboxes"
inside hap list collectors | grep -w bpf >/dev/null || fail "the package lacks the bpf collector"
[[ $(inside hap list metrics --format json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))') -ge 7 ]] || fail "hap list metrics"
# doctor says what this bare root lacks, and does not fall over it: 0 or 1, never a crash.
status=0
inside hap doctor --format json >"$work/doctor.json" || status=$?
[[ $status -le 1 ]] || fail "hap doctor: exit status $status"
python3 -m json.tool "$work/doctor.json" >/dev/null || fail "hap doctor --format json"
inside hap ledger table --year 2014 | grep 'xen-pv' >/dev/null || fail "hap ledger table: the data are not found"
inside hap help metrics | grep executed_lines >/dev/null || fail "hap help metrics"
inside man hap-report | grep 'SYNOPSIS' >/dev/null || fail "man hap-report"
inside man 7 hapmeter-metrics | grep 'expected_bugs' >/dev/null || fail "man 7 hapmeter-metrics"
inside bash -c 'source /usr/share/bash-completion/bash_completion; _completion_loader hap
  COMP_WORDS=(hap rep); COMP_CWORD=1; COMP_LINE="hap rep"; COMP_POINT=7; _hap; echo "${COMPREPLY[*]}"' | grep -w report >/dev/null ||
  fail "bash completion"
inside hap report /nonexistent.hap 2>"$work/wrong" && fail "hap report of nothing succeeded"
grep -q nonexistent "$work/wrong" || fail "hap report of nothing does not say so"
linked=$(inside ldd /usr/libexec/hapmeter/hap-agent 2>&1 || true)  # its exit status is 1 for a static program
[[ $linked == *"not a dynamic executable"* || $linked == *"statically linked"* ]] || fail "hap-agent is not static: $linked"

step "removal"
inside apt-get remove -y -qq hapmeter >/dev/null 2>&1 || fail "apt-get remove"
[[ ! -e $root/usr/bin/hap && ! -e $root/usr/share/hapmeter ]] || fail "files are left after removal"
step "passed"
