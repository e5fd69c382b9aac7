#!/usr/bin/env bash
# install-packages.sh SET...: installs the Debian packages of scripts/packages-SET.txt that are missing.
# Asks for root (through sudo) only when something has to be installed. On Debian 12, QEMU 10 comes from
# bookworm-backports, taken from the same mirror as the machine's own packages.
set -euo pipefail
cd "$(dirname "$0")"

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
command -v apt-get >/dev/null || fail "this is not a Debian system; install the packages of scripts/packages-*.txt by hand, then run cmake"

wanted=()
for set_name in "$@"; do
  while read -r name _; do
    [[ -z $name || $name == \#* ]] || wanted+=("$name")
  done < "packages-$set_name.txt"
done

installed() { [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]; }
# A command that the machine already has by other means (a newer node, for one) counts as well.
provided() {
  case $1 in
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    *) false ;;
  esac
}
qemu_is_new() {
  local version
  version=$(dpkg-query -W -f '${Version}' qemu-system-x86 2>/dev/null) || return 1
  dpkg --compare-versions "$version" ge 1:10
}

missing=()
for name in "${wanted[@]}"; do
  if [[ $name == qemu-system-x86 || $name == qemu-utils ]]; then
    qemu_is_new && installed "$name" || missing+=("$name")
  else
    installed "$name" || provided "$name" || missing+=("$name")
  fi
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || fail "these packages are missing and there is no sudo: run as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt() { "${as_root[@]}" apt-get -qq -o Dpkg::Use-Pty=0 "$@" >&2; }
apt update || fail "apt-get update failed; check the machine's package sources"

# Debian 12 ships QEMU 7.2, whose plugin interface is too old.
source_release=()
if [[ " ${missing[*]} " == *" qemu-"* ]]; then
  candidate() { apt-cache policy qemu-system-x86 | awk '/Candidate:/{print $2}'; }
  if ! dpkg --compare-versions "$(candidate)" ge 1:10; then
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    if ! apt-cache policy | grep -q "n=$codename-backports"; then
      site=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' | awk -v c="$codename" '$2==c && $3=="main"{print $1; exit}')
      [[ -n $site ]] || fail "no Debian mirror found in the machine's package sources; add $codename-backports by hand"
      echo "Adding $codename-backports of the machine's own mirror (for QEMU 10)" >&2
      printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
        "$site" "$codename" | "${as_root[@]}" tee /etc/apt/sources.list.d/hapmeter-backports.sources >/dev/null
      apt update || fail "apt-get update failed after adding $codename-backports"
    fi
    source_release=(-t "$codename-backports")
  fi
fi
plain=() backported=()
for name in "${missing[@]}"; do
  if [[ $name == qemu-* ]]; then backported+=("$name"); else plain+=("$name"); fi
done
[[ ${#plain[@]} -eq 0 ]] || apt install --no-install-recommends -y "${plain[@]}" \
  || fail "installing packages failed; the lines above say why"
[[ ${#backported[@]} -eq 0 ]] || apt install --no-install-recommends -y "${source_release[@]}" "${backported[@]}" \
  || fail "installing QEMU 10 failed; the lines above say why"
