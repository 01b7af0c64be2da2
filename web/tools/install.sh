#!/bin/sh
# Installs the packages that package-lock.json names, once for all build folders.
# usage: install.sh [FOLDER], the one of the pages unless another is named
set -eu
cd "${1:-$(dirname "$0")/..}"
mkdir -p node_modules
exec 9>node_modules/.lock
flock 9
wanted=$(sha256sum package-lock.json | cut -d' ' -f1)
[ "$(cat node_modules/.installed 2>/dev/null || true)" = "$wanted" ] && exit 0
if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; then
  echo "error: npm could not install the packages of $(basename "$PWD")" >&2
  echo "  hint: check the npm registry settings and the network" >&2
  exit 1
fi
echo "$wanted" >node_modules/.installed
