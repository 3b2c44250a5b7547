#!/usr/bin/env bash
# The first process of a sandbox (sandbox.py starts it, in namespaces of its own): makes this its private machine, says so, and sleeps.
# Usage: enter.sh FOLDER {GROUPS-FOLDER:TYPE:OPTIONS}...
set -euo pipefail
folder=$1; shift
trap 'echo "enter.sh: line $LINENO: $BASH_COMMAND: status $?" >&2' ERR

mount --make-rprivate /
mount -t proc proc /proc
mount -t sysfs sysfs /sys   # that of this network

# Control groups: what was entered is shown as the root.
for hierarchy in "$@"; do
  IFS=: read -r at type options <<<"$hierarchy"
  if [ "$at" = . ]; then
    mount -t "$type" cgroup2 /sys/fs/cgroup
  else
    [ -n "${tree-}" ] || mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
    tree=made
    mkdir -p "/sys/fs/cgroup/$at"
    mount -t "$type" -o "$options" cgroup "/sys/fs/cgroup/$at"
  fi
done

# A kubelet sets these for the whole machine; here it sets plain files.
mkdir -p "$folder/settings"
while read -r name value; do
  [ -e "/proc/sys/$name" ] || continue
  echo "$value" >"$folder/settings/${name//\//.}"
  mount --bind "$folder/settings/${name//\//.}" "/proc/sys/$name"
done <<'SETTINGS'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SETTINGS

mkdir -p "$folder/lib" "$folder/log"
mount --bind "$folder/lib" /var/lib
mount --bind "$folder/log" /var/log
mount -t tmpfs -o mode=755 tmpfs /run

ip link set lo up
hostname kruise-node

trap '' CHLD  # who ignores its children's ends need not collect them, over exec too
echo ready
exec sleep infinity >/dev/null
