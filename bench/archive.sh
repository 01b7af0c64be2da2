#!/bin/bash
# archive.sh BUILD_DIR SCRATCH_DIR [ROUNDS] [FILES] [LARGE]
# Creating and checking an archive against `tar | zstd -T2 -3` and `zstd -t`, which neither hash nor sign.
# Interleaves ours and theirs, prints medians, ratios, CPU time and peak memory. On a machine that does other work too,
# CPU time tells more than wall time. Scratch needs about 8 GB; its tree is kept for the next run.
set -euo pipefail
bench=$(realpath "$1")/bench scratch=$2 rounds=${3:-5} files=${4:-100000} large=${5:-50}
mkdir -p "$scratch"
cd "$scratch"
if [ ! -e tree/made ]; then
  rm -rf tree
  "$bench/archive_tree" tree "$files" "$large"
  touch tree/made
fi
rm -rf times
mkdir times

# measure NAME COMMAND...: wall seconds, peak KiB of the largest process and CPU seconds go to times/NAME
measure() {
  local name=$1
  shift
  /usr/bin/time -f '%e %M %U %S' -o times/last -- "$@" > times/output
  tail -n 1 times/last >> "times/$name"
}
theirs() { measure "$1-theirs" bash -c "tar -C '$2' -cf - --sort=name . | zstd -q -f -T2 -3 -o '$3'"; }

find tree -type f -print0 | xargs -0 cat > /dev/null  # both start with a warm cache
one=$(cd tree && find small -name '*.json' | LC_ALL=C sort | sed -n "$((files / 2))p")
for round in $(seq "$rounds"); do
  measure create-all-ours "$bench/archive_bench" create tree ours.oa-archive
  theirs create-all tree theirs.tar.zst
  measure create-small-ours "$bench/archive_bench" create tree/small small.oa-archive
  theirs create-small tree/small small.tar.zst
  measure verify-ours "$bench/archive_bench" verify ours.oa-archive
  measure verify-theirs zstd -q -t theirs.tar.zst
  measure verify-every-signature-ours "$bench/archive_bench" verify ours.oa-archive --every-signature
  measure one-entry-ours "$bench/archive_bench" cat ours.oa-archive "$one"
  cmp -s times/output "tree/$one"
  measure one-entry-theirs tar --zstd -xOf theirs.tar.zst "./$one"
  measure list-ours "$bench/archive_bench" ls ours.oa-archive
  measure list-theirs tar --zstd -tf theirs.tar.zst
done

median() { sort -n "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
cpu() { awk '{print $3 + $4}' "$1" > times/cpu; median times/cpu; }
peak() { awk '{if ($2 > m) m = $2} END {printf "%d", m / 1024}' "$1"; }
printf '%-24s %9s %9s %7s %9s %9s %9s  %s\n' what ours/s theirs/s ratio 'CPU ours' theirs peak/MiB "medians of $rounds"
for what in create-all create-small verify verify-every-signature one-entry list; do
  ours=times/$what-ours theirs=times/${what%-every-signature}-theirs
  awk -v w="$what" -v o="$(median "$ours")" -v t="$(median "$theirs")" -v oc="$(cpu "$ours")" -v tc="$(cpu "$theirs")" \
    -v m="$(peak "$ours")" \
    'BEGIN {printf "%-24s %9.2f %9.2f %7.2f %9.2f %9.2f %9d\n", w, o, t, o / (t > 0 ? t : 0.01), oc, tc, m}'
done
ls -l ours.oa-archive theirs.tar.zst small.oa-archive small.tar.zst | awk '{print $5, $9}'
