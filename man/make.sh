#!/bin/sh
# make.sh HAP DIR: writes man pages (man1, man7; compressed in packed/) and completions into DIR.
set -eu
hap=$1 out=$2
rm -rf "$out/man1" "$out/man7" "$out/packed" "$out/completion"
mkdir -p "$out/man1" "$out/man7" "$out/packed/man1" "$out/packed/man7" "$out/completion"
for command in $("$hap" completion commands); do
  "$hap" completion man "$command" >"$out/man1/hap-$command.1"
done
for topic in "$HAP_DATA_DIR"/topics/*.txt; do
  name=$(basename "$topic" .txt)
  "$hap" help --man "$name" >"$out/man7/hapmeter-$name.7"
done
"$hap" completion bash >"$out/completion/hap"
"$hap" completion zsh >"$out/completion/_hap"
"$hap" completion man >"$out/man1/hap.1"
(cd "$out" && for page in man1/*.1 man7/*.7; do gzip -9nc "$page" >"packed/$page.gz"; done)
