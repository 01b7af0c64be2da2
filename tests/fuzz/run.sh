#!/usr/bin/env bash
# Builds the fuzz preset and runs the harnesses, each on its corpus here and on what earlier runs found (build/fuzz/corpus).
# usage: tests/fuzz/run.sh [-j JOBS] [SECONDS [TARGET...]]
#   -j JOBS   harnesses at once (default 1); SECONDS for each (default 600); all targets unless some are named
# Exit status 1 when there is a finding; its input is then in build/fuzz/findings/<target>.
set -euo pipefail
cd "$(dirname "$0")/../.."
jobs=1
while getopts j:h option; do
  case "$option" in
    j) jobs=$OPTARG ;;
    *) sed -n '2,5s/^# //p' "$0"; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
seconds=${1:-600}
shift || true
targets=("$@")
command -v clang++-16 >/dev/null || { echo "error: clang++-16 is missing; apt-get install clang-16 libclang-rt-16-dev" >&2; exit 2; }
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cd tests/fuzz/corpus && printf '%s\n' *)
for target in "${targets[@]}"; do
  [ -d "tests/fuzz/corpus/$target" ] || { echo "error: there is no target $target; see tests/fuzz/README.md" >&2; exit 2; }
done
mkdir -p build/fuzz/logs
{ cmake --preset fuzz && cmake --build --preset fuzz -j 2; } >build/fuzz/logs/build.log 2>&1 ||
  { tail -n 30 build/fuzz/logs/build.log >&2; echo "error: the build failed" >&2; exit 2; }

fuzz_one() {
  local target=$1 seconds=$2 found
  local scratch=build/fuzz/corpus/$target findings=build/fuzz/findings/$target log=build/fuzz/logs/$target.log
  mkdir -p "$scratch" "$findings"
  # An allocation past the readers' limits for a small input is a finding, as is an input that takes seconds.
  if nice build/fuzz/tests/fuzz/oa_fuzz_"$target" -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=1024 \
    -malloc_limit_mb=128 -print_final_stats=1 -artifact_prefix="$findings/" "$scratch" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
    found=no
  else
    found=yes
  fi
  figure() { sed -n "s/^stat::$1: *//p" "$log"; }
  printf '%-15s %12s executions %7s new units %6s edges %5s MB  findings: %s\n' "$target" "$(figure number_of_executed_units)" \
    "$(figure new_units_added)" "$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d ' ' -f 2)" "$(figure peak_rss_mb)" "$found"
  [ "$found" = no ] || { tail -n 40 "$log"; return 1; }
}
export -f fuzz_one
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -euo pipefail -c 'fuzz_one "$1" "$2" || exit 1' fuzz {} "$seconds" ||
  { echo "error: there are findings, inputs in build/fuzz/findings"; exit 1; }
