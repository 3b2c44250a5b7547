#!/usr/bin/env bash
# Builds the Go clients that the embedded cluster is tried with (an informer of client-go, helm) from their modules, once, into a cache
# outside the repository. Prints the folder that holds the executables.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${KRUISE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kruise}/clients

key=$(cat "$here"/*/go.mod "$here"/*/go.sum "$here"/informer/main.go | sha256sum | cut -c1-16)
bin=$cache/$key
declare -A package=([informer]=. [helm]=helm.sh/helm/v3/cmd/helm)
missing=()
for name in "${!package[@]}"; do [ -x "$bin/$name" ] || missing+=("$name"); done
if [ ${#missing[@]} -gt 0 ]; then
  mkdir -p "$bin"
  exec 9>"$bin/.lock"; flock 9
  go=$("$here/../real/find_go.sh")
  for name in "${missing[@]}"; do
    [ -x "$bin/$name" ] && continue
    echo "building $name (once, kept in $bin)" >&2
    (cd "$here/$name" && CGO_ENABLED=0 "$go" build -mod=readonly -trimpath -ldflags "-s -w" -o "$bin/.$name.new" "${package[$name]}" >&2)
    mv "$bin/.$name.new" "$bin/$name"
  done
fi
echo "$bin"
