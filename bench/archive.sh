#!/usr/bin/env bash
# archive.sh BUILD_DIR SCRATCH_DIR [ROUNDS] [FILES] [LARGE]
# oa-archive against `tar | zstd -T2 -3`, `zstd -t` and `tar -x` (which neither hash nor sign), restic and borg: creating,
# verifying, one entry, listing, restoring, on a folder of FILES JSON documents and LARGE files of 40 MB that do not compress.
# Runs ours and theirs in turn, each into fresh files behind a sync, and prints medians, ratios, CPU time and peak memory. On a machine
# that does other work too, CPU time tells more than wall time. Then the peak memory for an archive of 10 GB.
# Ours makes its file durable, theirs do not. Scratch needs about 20 GB a round, on a disk; its tree is kept for the next run.
set -euo pipefail
case "${1:-}" in "" | -h | --help) sed -n '2,8s/^# //p' "$0"; exit 0 ;; esac
build=$(realpath "$1") scratch=$2 rounds=${3:-3} files=${4:-100000} large=${5:-50}
ours=$build/apps/oa-archive/oa-archive
for program in zstd tar restic borg; do
  command -v "$program" > /dev/null || { echo "error: $program is missing; apt-get install zstd restic borgbackup" >&2; exit 2; }
done
mkdir -p "$scratch"
cd "$scratch"
if [ ! -e tree.made ]; then
  rm -rf tree
  "$build/bench/archive_tree" tree "$files" "$large"
  touch tree.made
fi
rm -rf times runs
mkdir times runs
export RESTIC_PASSWORD=benchmark RESTIC_CACHE_DIR=$PWD/runs/restic-cache
export BORG_PASSPHRASE=benchmark BORG_BASE_DIR=$PWD/runs/borg-base

# measure NAME COMMAND...: wall seconds, peak KiB of the largest process and CPU seconds go to times/NAME
measure() {
  local name=$1
  shift
  sync
  /usr/bin/time -f '%e %M %U %S' -o times/last -- "$@" > times/output
  tail -n 1 times/last >> "times/$name"
}
# tar_zstd FOLDER FILE
tar_zstd() { bash -c "tar -C '$1' -cf - --sort=name . | zstd -q -T2 -3 -o '$2'"; }
export -f tar_zstd

[ -e bench.key ] || "$ours" keys new --no-passphrase --secret bench.key --public bench.pub > /dev/null
trust=(--trust bench.pub)
find tree -type f -print0 | xargs -0 cat > /dev/null  # all start with a warm cache
one=$(cd tree && find small -name '*.json' | LC_ALL=C sort | sed -n "$((files / 2))p")
# Nothing is removed until all is measured: what a file system does about that would disturb the next run.
w=runs
for round in $(seq "$rounds"); do
  measure create-ours "$ours" pack tree "$w/ours-$round" --key bench.key
  measure create-tar bash -c "tar_zstd tree $w/tar-$round"
  measure create-small-ours "$ours" pack tree/small "$w/small-ours-$round" --key bench.key
  measure create-small-tar bash -c "tar_zstd tree/small $w/small-tar-$round"
done
for round in $(seq "$rounds"); do
  cat "$w/ours-$round" "$w/tar-$round" > /dev/null  # ours was written past the page cache
  measure verify-ours "$ours" verify "$w/ours-$round" "${trust[@]}"
  measure verify-zstd zstd -q -t -c "$w/tar-$round"
  measure verify-signatures-ours "$ours" verify "$w/ours-$round" "${trust[@]}" --every-signature
  measure one-ours "$ours" cat "$w/ours-$round" "$one" "${trust[@]}"
  cmp -s times/output "tree/$one"
  measure one-tar tar --zstd -xOf "$w/tar-$round" "./$one"
  measure list-ours "$ours" ls "$w/ours-$round" "${trust[@]}"
  measure list-tar tar --zstd -tf "$w/tar-$round"
done
for round in $(seq "$rounds"); do
  measure restore-ours "$ours" extract "$w/ours-$round" "${trust[@]}" --output "$w/out-ours-$round"
  mkdir "$w/out-tar-$round"
  measure restore-tar tar --zstd -xf "$w/tar-$round" -C "$w/out-tar-$round"
done
for round in $(seq "$rounds"); do
  restic init -q -r "$w/restic-$round" > times/output
  measure create-restic restic backup -q -r "$w/restic-$round" tree
  measure verify-signatures-restic restic check -q -r "$w/restic-$round" --read-data
  measure one-restic restic dump -q -r "$w/restic-$round" latest "/tree/$one"
  measure restore-restic restic restore -q -r "$w/restic-$round" latest --target "$w/out-restic-$round"
  borg init -e repokey-blake2 "$w/borg-$round" 2> times/output
  measure create-borg borg create "$w/borg-$round::all" tree
  measure verify-signatures-borg borg check --verify-data "$w/borg-$round"
  measure one-borg borg extract --stdout "$w/borg-$round::all" "tree/$one"
  mkdir "$w/out-borg-$round"
  measure restore-borg env -C "$w/out-borg-$round" borg extract "../borg-$round::all"
done
diff -r tree runs/out-ours-1

median() { sort -n "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
cpu() { awk '{print $3 + $4}' "$1" > times/cpu; median times/cpu; }
peak() { awk '{if ($2 > m) m = $2} END {printf "%d", m / 1024}' "$1"; }
printf '%-18s %-7s %8s %8s %7s %9s %9s %9s   medians of %s\n' what peer ours/s theirs/s ratio 'CPU ours' theirs peak/MiB "$rounds"
row() {  # row WHAT OURS PEER...
  local what=$1 mine=times/$2-ours peer
  shift 2
  for peer in "$@"; do
    awk -v what="$what" -v p="${peer##*-}" -v o="$(median "$mine")" -v t="$(median "times/$peer")" -v oc="$(cpu "$mine")" \
      -v tc="$(cpu "times/$peer")" -v m="$(peak "$mine")" \
      'BEGIN {printf "%-18s %-7s %8.2f %8.2f %7.2f %9.2f %9.2f %9d\n", what, p, o, t, o / (t > 0 ? t : 0.01), oc, tc, m}'
  done
}
row create create create-tar create-restic create-borg
row create-small create-small create-small-tar
row verify verify verify-zstd
row every-signature verify-signatures verify-signatures-restic verify-signatures-borg
row one-entry one one-tar one-restic one-borg
row list list list-tar
row restore restore restore-tar restore-restic restore-borg
ls -l runs/*-1 2> /dev/null | awk '$5 > 1000000 {print $5, $9}'
du -sm runs/restic-1 runs/borg-1 | awk '{print $1 " MiB", $2}'
rm -rf runs

# The memory of 10 GB is that of 2: the large files five times, as hard links.
mkdir -p runs/tree10
for copy in 1 2 3 4 5; do
  for file in tree/large/*; do ln "$file" "runs/tree10/$copy-$(basename "$file")"; done
done
measure memory-create "$ours" pack runs/tree10 runs/10.oa-archive --key bench.key
measure memory-verify "$ours" verify runs/10.oa-archive "${trust[@]}"
printf '%s: peak MiB creating %s, verifying %s\n' "$(du -sh runs/10.oa-archive | cut -f 1)" "$(peak times/memory-create)" "$(peak times/memory-verify)"
rm -rf runs
