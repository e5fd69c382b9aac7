#!/usr/bin/env bash
# debian-root.sh SUITE DIR [PACKAGE...]: a clean Debian root of that release (bookworm, trixie) in DIR, with these
# packages, from the archive that this machine's own apt uses. For tests of the Debian packages; needs mmdebstrap
# and root (or user namespaces).
set -euo pipefail
suite=$1 dir=$2
shift 2
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
# The machine's archives of its own release, with the wanted release's name in place; no backports, no third parties.
mapfile -t sources < <(
  apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)' 'Created-By: Packages' | sort -u |
    while IFS='|' read -r origin uri codename component; do
      [[ $origin == Debian && $codename == "$here"* && $codename != *-backports* ]] || continue
      echo "deb $uri $suite${codename#"$here"} $component"
    done)
if [[ ${#sources[@]} -eq 0 ]]; then
  echo "debian-root.sh: apt knows no archive of Debian $here; run apt-get update first" >&2
  exit 1
fi
options=$(mktemp)
trap 'rm -f "$options"' EXIT
apt-config dump | grep -E '^Acquire::(http|https|Retries|ForceIPv4)' >"$options" || true
echo 'APT::Install-Recommends "false";' >>"$options"
mkdir -p "$dir"
mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "${*:-apt}")" --aptopt="$options" \
  --dpkgopt='path-exclude=/usr/share/locale/*' --format=directory "$suite" "$dir" "${sources[@]}"
cp /etc/resolv.conf "$dir/etc/resolv.conf"
