#!/usr/bin/env bash
# The main job through the HTTP API, as an Owner does it, each result compared: an archive is made, verified and downloaded, a report
# is lost and restored, a workspace is forked, both are undone, a report is brought back from a moment of the past, the file is uploaded again.
# usage: deploy/walk.sh ADDRESS ORGANISATION E-MAIL   (the password comes in $OA_PASSWORD)
set -euo pipefail
case "${1:-}" in -h | --help | "") sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
base=$1 organisation=$2 email=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
step=0

say() { step=$((step + 1)); printf '\n%d. %s\n' "$step" "$1"; }
fact() { printf '   %-26s %s\n' "$1" "$2"; }
fail() { printf 'error: %s\n' "$1" >&2; exit 1; }
same() { [ "$2" = "$3" ] || fail "$1: $2 is not $3"; fact "$1" "the same"; }

# Answers of the API on standard output; a problem ends the walk with its words.
api() {
  local method=$1 path=$2 answer
  shift 2
  answer=$(curl --silent --show-error --fail-with-body --request "$method" --cookie "$scratch/cookies" --cookie-jar "$scratch/cookies" \
    --header "X-CSRF-Token: ${csrf:-}" --header 'Content-Type: application/json' "$@" "$base$path") || {
    printf 'error: %s %s: %s\n' "$method" "$path" "$(jq -r '.detail + " (" + .code + ", " + .trace_id + ")"' <<<"$answer" 2>/dev/null || echo "$answer")" >&2
    exit 1
  }
  printf '%s' "$answer"
}
# Starts a job and waits for its end by its events; its result on standard output.
job() {
  local id last
  id=$(api POST "$1" --header "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" --data "${2:-}" | jq -r .id)
  last=$(curl --silent --show-error --no-buffer --cookie "$scratch/cookies" "$base/v1/jobs/$id/events" | sed -n 's/^data: //p' | tail -n 1)
  [ -n "$last" ] || last=$(api GET "/v1/jobs/$id")
  [ "$(jq -r .state <<<"$last")" = succeeded ] || fail "$(jq -r '.kind + ": " + .failure.detail' <<<"$last")"
  jq -c .result <<<"$last"
}
# Plans what $1 asks for, approves the plan's hash, applies it; the restore's id on standard output.
restore() {
  local id hash
  id=$(job "$1" "$2" | jq -r .restore_id)
  hash=$(api GET "/v1/restores/$id" | jq -r .plan_hash)
  job "/v1/restores/$id/apply" "{\"plan_hash\":\"$hash\"}" >/dev/null
  printf '%s' "$id"
}
digest() { api GET "/v1/reports/$1/data" | jq -r .digest; }
workspaces() { api GET /v1/workspaces | jq '.data | length'; }

say "Signed in as an Owner"
csrf=$(jq -n --arg o "$organisation" --arg e "$email" '{organisation:$o,email:$e,password:env.OA_PASSWORD}' | api POST /v1/auth/sign-in --data @- | jq -r .csrf_token)
fact "organisation" "$organisation"

say "A report opened"
workspace=$(api GET /v1/workspaces | jq -r '.data[0].id')
report=$(api GET "/v1/workspaces/$workspace/reports" | jq -r '.data[0].id')
fact "report" "$(api GET "/v1/reports/$report" | jq -r .name)"
before=$(digest "$report")
fact "shows" "$(api GET "/v1/reports/$report/data" | jq '.visuals | length') visuals"

say "An archive of everything, made and verified"
archive=$(job /v1/archives '{"rows":true,"audit":true}' | jq -r .archive_id)
api GET "/v1/archives/$archive" >"$scratch/archive"
fact "archive" "$archive"
fact "size" "$(jq .size_bytes "$scratch/archive") bytes"
fact "verification" "$(jq -r .verification.state "$scratch/archive")"
[ "$(jq -r .verification.state "$scratch/archive")" = verified ] || fail "the archive was not verified"

say "Downloaded"
curl --silent --show-error --fail --cookie "$scratch/cookies" --output "$scratch/file" "$base/v1/archives/$archive/content"
same "its size" "$(stat -c %s "$scratch/file")" "$(jq .size_bytes "$scratch/archive")"

say "The report lost, and restored from the archive"
api DELETE "/v1/reports/$report" >/dev/null
compared=$(job "/v1/archives/$archive/compare" | jq -r .restore_id)
fact "deleted here" "$(api GET "/v1/restores/$compared/items?action=create" | jq -r '[.data[].name] | join(", ")')"
lost=$(restore /v1/restores "{\"archive_id\":\"$archive\",\"assets\":[{\"kind\":\"report\",\"id\":\"$report\"}]}")
same "what it shows" "$(digest "$report")" "$before"

say "The restore undone, and the undo undone"
undo=$(restore "/v1/restores/$lost/undo" '{}')
curl --silent --output /dev/null --write-out '%{http_code}' --cookie "$scratch/cookies" "$base/v1/reports/$report" | grep -q 404 || fail "the report is still there"
fact "the report" "gone again"
restore "/v1/restores/$undo/undo" '{}' >/dev/null
same "what it shows" "$(digest "$report")" "$before"

say "A workspace forked, and taken back"
count=$(workspaces)
fork=$(restore /v1/restores "{\"archive_id\":\"$archive\",\"assets\":[{\"kind\":\"workspace\",\"id\":\"$workspace\"}],\"mode\":\"fork\"}")
[ "$(workspaces)" = $((count + 1)) ] || fail "there is no forked workspace"
fact "workspaces" "$count, then $((count + 1))"
restore "/v1/restores/$fork/undo" '{}' >/dev/null
same "their number" "$(workspaces)" "$count"

say "The report lost with no archive, and brought back from just before that"
for _ in $(seq 240); do
  api GET /v1/continuity | jq -e '.earliest != null and .earliest < (now | todate)' >/dev/null && break
  sleep 0.5
done
api DELETE "/v1/reports/$report" >/dev/null
lost=$(api GET "/v1/audit/events?action=report.delete&resource_id=$report" | jq -r '.data[0].ts')
fact "lost at" "$lost"
moment=$(job /v1/archives/from-moment "{\"at\":\"$lost\"}" | jq -r .archive_id)
restore /v1/restores "{\"archive_id\":\"$moment\",\"assets\":[{\"kind\":\"report\",\"id\":\"$report\"}]}" >/dev/null
same "what it shows" "$(digest "$report")" "$before"
api DELETE "/v1/archives/$moment" >/dev/null

say "The file uploaded again, interrupted and resumed"
size=$(stat -c %s "$scratch/file")
upload=$(api POST /v1/uploads --header 'Tus-Resumable: 1.0.0' --header "Upload-Length: $size" --dump-header - --output /dev/null | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
patch() { curl --silent --show-error --fail --request PATCH --cookie "$scratch/cookies" --header "X-CSRF-Token: $csrf" --header 'Tus-Resumable: 1.0.0' --header "Upload-Offset: $1" --header 'Content-Type: application/offset+octet-stream' --data-binary @- --output /dev/null "$base$upload"; }
head -c $((size / 2)) "$scratch/file" | patch 0
tail -c +$((size / 2 + 1)) "$scratch/file" | patch $((size / 2))
again=$(job /v1/archives/from-upload "{\"upload_id\":\"${upload##*/}\"}" | jq -r .archive_id)
same "its content" "$(api GET "/v1/archives/$again" | jq -r .content_hash)" "$(jq -r .content_hash "$scratch/archive")"
api DELETE "/v1/archives/$again" >/dev/null

say "The audit log's chain checked"
fact "events" "$(job /v1/audit/verify | jq -r 'if .valid then "\(.events), every hash as it should be" else error("the chain is broken") end')"
api POST /v1/auth/sign-out >/dev/null
