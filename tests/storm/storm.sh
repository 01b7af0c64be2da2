#!/usr/bin/env bash
# storm.sh BUILD_DIR SCRATCH_DIR [SECONDS [SEED]]
# Starts `oa-backup up` with its demo tenant and sends it requests that nobody would write for SECONDS (600), made from SEED (1), signed in as an Owner;
# then asks it for its health and ends it. With a build with sanitizers, what they find fails the run, leaks at the end included.
set -euo pipefail
case "${1:-}" in "" | -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
build=$(realpath "$1") seconds=${3:-600} seed=${4:-1} contract=$(realpath "$(dirname "$0")/../../docs/openapi.yaml")
mkdir -p "$2"
cd "$2"
rm -rf data up.json service.log health.json
export ASAN_OPTIONS=detect_leaks=1:exitcode=99 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 TSAN_OPTIONS=exitcode=99
"$build/apps/oa-backup/oa-backup" --data data --json up --demo --rows 2000 --port 0 --log service.log > up.json 2> up.log &
service=$!
trap 'kill "$service" 2> /dev/null || true; wait' EXIT
until [ -s up.json ]; do
  kill -0 "$service" || { cat up.log >&2; exit 1; }
  sleep 0.2
done
member() { python3 -c 'import functools, json, sys; print(functools.reduce(lambda d, k: d[int(k) if k.isdigit() else k], sys.argv[1:], json.load(sys.stdin)))' "$@"; }
address=$(member address < up.json)
cat > sign-in.json <<JSON
{"organisation": "$(member demo organisation < up.json)", "email": "$(member demo emails 0 < up.json)", "password": "$(member demo password < up.json)"}
JSON
json=(-H 'Content-Type: application/json')
cookie=$(curl -sSf -o me.json -D - "$address/v1/auth/sign-in" "${json[@]}" -H "Origin: $address" -d @sign-in.json |
  sed -n 's/^[Ss]et-[Cc]ookie: \([^;]*\).*/\1/p')
token=$(curl -sSf "$address/v1/tokens" "${json[@]}" -H "Cookie: $cookie" -H "Origin: $address" -H "X-CSRF-Token: $(member csrf_token < me.json)" \
  -d '{"name": "storm", "scopes": ["read", "reports", "datasets", "backup", "restore", "admin"]}' | member token)
bearer="Authorization: Bearer $token"
get() { curl -sSf "$address$1" -H "$bearer"; }
workspace=$(get /v1/workspaces | member data 0 id)
job=$(curl -sSf "$address/v1/archives" "${json[@]}" -H "$bearer" -H 'Idempotency-Key: storm' -d '{}' | member id)
until get "/v1/jobs/$job" | grep -q '"state":"succeeded"'; do sleep 0.5; done
upload=$(curl -sSf -D - -X POST "$address/v1/uploads" -H "$bearer" -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 100000' | tr -d '\r' |
  sed -n 's|^[Ll]ocation: /v1/uploads/||p')
memory() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$service/status"; }
before=$(memory)
status=0
"$build/tests/oa_request_storm" "${address##*:}" "$seconds" "$seed" "$contract" "$bearer" "workspace_id=$workspace" "job_id=$job" "upload_id=$upload" \
  "report_id=$(get "/v1/workspaces/$workspace/reports" | member data 0 id)" \
  "dataset_id=$(get "/v1/workspaces/$workspace/datasets" | member data 0 id)" \
  "archive_id=$(get /v1/archives | member data 0 id)" || status=$?
echo "$seconds seconds, seed $seed; memory: $before MiB before, $(memory) MiB after"
curl -sSf "$address/healthz" > health.json || { echo "error: the service does not answer any more" >&2; status=1; }
kill -TERM "$service"
wait "$service" || { echo "error: the service ended with status $?" >&2; tail -n 50 up.log >&2; status=1; }
if grep -q 'ERROR: AddressSanitizer\|runtime error:\|LeakSanitizer\|WARNING: ThreadSanitizer' up.log; then
  cat up.log >&2
  status=1
fi
exit "$status"
