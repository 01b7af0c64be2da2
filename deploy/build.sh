#!/usr/bin/env bash
# Configures and builds the release preset, quietly unless it fails.
# usage: deploy/build.sh [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
[ -e build/release/apps/oa-backup/oa-backup ] || echo "Building for the first time: some minutes"
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(all)
if ! { cmake --preset release && cmake --build --preset release --target "${targets[@]}"; } >"$log" 2>&1; then
  grep -E -A6 'error|CMake Error|FAILED' "$log" | head -60 >&2 || tail -30 "$log" >&2
  echo "error: the build failed" >&2
  exit 1
fi
