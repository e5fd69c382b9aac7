# test_zsh.zsh HAP DIR: the completion in a real zsh, on a pseudo terminal, as a user would press Tab.
zmodload zsh/zpty || exit 1
hap=$1 folder=$2
bad=0
home=$(mktemp -d)
cat >$home/.zshrc <<RC
PATH=${hap:h}:\$PATH
fpath=($folder \$fpath)
autoload -Uz compinit; compinit -u -d $home/dump
PS1='READY> '
zstyle ':completion:*' list-prompt ''
setopt no_beep
LISTMAX=1000
RC
# offer TEXT: the screen after TEXT and Tab Tab.
offer() {
  local line screen='' tries=0
  zpty -b shell "env -i ZDOTDIR=$home HOME=$home TERM=dumb COLUMNS=160 LINES=60 zsh -i"
  while ((tries++ < 100)); do
    if zpty -r -t shell line; then screen+=$line; else sleep 0.1; fi
    [[ $screen == *'READY>'* ]] && break
  done
  zpty -w -n shell "$1"$'\t\t'
  screen='' tries=0
  local quiet=0
  while ((tries++ < 100 && quiet < 8)); do
    if zpty -r -t shell line; then screen+=$line quiet=0; else sleep 0.1; [[ -n $screen ]] && ((quiet++)); fi
  done
  zpty -d shell
  print -r -- $screen
}
expect() {
  local screen=$(offer $2)
  [[ $screen == *$1* ]] || { print -u2 -r -- "FAIL: '$2' does not offer '$1': $screen"; bad=1 }
  [[ $screen != *(error|'not found'|'bad ')* ]] || { print -u2 -r -- "FAIL: '$2': $screen"; bad=1 }
}
expect campaign 'hap '
expect workloads 'hap list '
expect json 'hap list sandboxes --format '
expect --output 'hap campaign --o'
rm -r $home
exit $bad
