#!/usr/bin/env bash
# Builds the real control plane that the tests are held against (etcd, kube-apiserver, kube-controller-manager, kubectl)
# from its Go modules, once, into a cache outside the repository. Prints the folder that holds the executables.
# Usage: build.sh [NAME]...   with names, these in addition: kube-scheduler and kubelet are built for real nodes only
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${KRUISE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kruise}/real
version=v1.34.4

key=$(cat "$here"/*/go.mod "$here"/*/go.sum | sha256sum | cut -c1-16)
bin=$cache/$version-$key
want=(etcd kube-apiserver kube-controller-manager kubectl "$@")
missing=()
for name in "${want[@]}"; do [ -x "$bin/$name" ] || missing+=("$name"); done
if [ ${#missing[@]} -gt 0 ]; then
  mkdir -p "$bin"
  exec 9>"$bin/.lock"; flock 9
  go=$("$here/find_go.sh")
  stamp="-X k8s.io/component-base/version.gitVersion=$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34"
  stamp="$stamp -X k8s.io/client-go/pkg/version.gitVersion=$version -X k8s.io/client-go/pkg/version.gitMajor=1 -X k8s.io/client-go/pkg/version.gitMinor=34"
  for name in "${missing[@]}"; do
    [ -x "$bin/$name" ] && continue
    echo "building $name (once, kept in $bin)" >&2
    if [ "$name" = etcd ]; then dir=etcd; package=go.etcd.io/etcd/server/v3; else dir=kubernetes; package=k8s.io/kubernetes/cmd/$name; fi
    (cd "$here/$dir" && CGO_ENABLED=0 "$go" build -mod=readonly -trimpath -ldflags "-s -w $stamp" -o "$bin/.$name.new" "$package" >&2)
    mv "$bin/.$name.new" "$bin/$name"
  done
fi
echo "$bin"
