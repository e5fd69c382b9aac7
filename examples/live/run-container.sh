#!/bin/sh
# Measures a container of this host from another one:   run-container.sh ID SECONDS
# What it needs of the host: its process ids, tracefs, the cgroup tree, the engines' records, and BTF for bpf.
set -eu
exec podman run --rm --pid=host --network=none --userns=host \
  --cap-drop=all --cap-add=BPF,PERFMON,SYS_ADMIN,SYSLOG,SYS_PTRACE,DAC_OVERRIDE,SYS_RESOURCE,SYS_NICE \
  --security-opt apparmor=unconfined --security-opt seccomp=unconfined --security-opt unmask=/proc/kallsyms \
  -v /sys/kernel/tracing:/sys/kernel/tracing:rw \
  -v /sys/fs/cgroup:/sys/fs/cgroup:ro \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v /var/lib/containers/storage:/var/lib/containers/storage:ro \
  -v /run/containerd:/run/containerd:ro \
  -v "$PWD:/recordings" \
  hapmeter record --container "$1" --duration "$2" -o "/recordings/$1.hap"
