#!/usr/bin/env bash
# Makes the corpus anew: of the seeds, the corpus as it is and what runs have found, the few small inputs that reach as much.
# usage: tests/fuzz/minimise.sh [TARGET...]    (after tests/fuzz/run.sh)
set -euo pipefail
cd "$(dirname "$0")/../.."
max_bytes=1500  # larger inputs are left out, but for seeds and found-*
targets=("$@")
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
build/fuzz/tests/fuzz/oa_fuzz_seeds "$seeds/all"
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cd "$seeds/all" && printf '%s\n' *)
for target in "${targets[@]}"; do
  corpus=tests/fuzz/corpus/$target
  mkdir -p "$corpus" "$seeds/new/$target" "$seeds/small/$target" "build/fuzz/corpus/$target"
  cp "$seeds/all/$target"/* "$seeds/small/$target"
  for folder in "$corpus" "build/fuzz/corpus/$target"; do
    find "$folder" -type f ! -name 'found-*' -size -$((max_bytes + 1))c -exec cp -t "$seeds/small/$target" {} +
  done
  build/fuzz/tests/fuzz/oa_fuzz_"$target" -merge=1 -set_cover_merge=1 -use_counters=0 "$seeds/new/$target" "$seeds/small/$target" >/dev/null 2>&1
  find "$corpus" -type f ! -name 'found-*' -delete
  cp "$seeds/new/$target"/* "$corpus"
  printf '%-15s %4d inputs %7d bytes\n' "$target" "$(find "$corpus" -type f | wc -l)" "$(du -b -s "$corpus" | cut -f 1)"
done
