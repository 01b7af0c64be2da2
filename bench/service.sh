#!/usr/bin/env bash
# service.sh BUILD_DIR SCRATCH_DIR [ROUNDS] [MIB] [SECONDS]
# A running `oa-backup up` with its demo tenant: 1,000 idle streams of events with 200 requests a second of lists and status for SECONDS
# (each request's time, memory); then an upload of MIB by tus, sealed, and the download of an archive of about MIB, each beside nginx receiving or
# serving the same bytes, stored in the clear, by the same curl, with the most memory the service held above its idle memory; then the same by TLS.
# Runs as root, for its own Postgres. Scratch needs ten times MIB, on a disk.
set -euo pipefail
case "${1:-}" in "" | -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;; esac
build=$(realpath "$1") rounds=${3:-3} mib=${4:-2048} seconds=${5:-30}
ours=$build/apps/oa-backup/oa-backup
for program in nginx curl python3 psql openssl; do
  command -v "$program" > /dev/null || { echo "error: $program is missing; apt-get install nginx-light curl python3 postgresql-client openssl" >&2; exit 2; }
done
mkdir -p "$2"
scratch=$(realpath "$2")
cd "$scratch"
rm -rf data nginx times up.json
mkdir -p nginx/files nginx/temp times
chmod 755 . nginx
chmod 777 nginx/files nginx/temp
started=()
trap 'for pid in "${started[@]}"; do kill "$pid" 2> /dev/null || true; done; wait' EXIT

# member NAME...: of the JSON document on standard input
member() { python3 -c 'import functools, json, sys; print(functools.reduce(lambda d, k: d[int(k) if k.isdigit() else k], sys.argv[1:], json.load(sys.stdin)))' "$@"; }

# up OPTION...: sets service, address
up() {
  rm -f up.json
  "$ours" --data data --json up --port 0 "$@" > up.json 2> up.log &
  service=$!
  started+=("$service")
  until [ -s up.json ]; do
    kill -0 "$service" || { cat up.log >&2; exit 1; }
    sleep 0.2
  done
  address=$(member address < up.json)
}
up --demo
cp up.json demo.json
port=${address##*:}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
  -keyout key.pem -out cert.pem 2> openssl.log

cat > nginx/nginx.conf <<CONF
worker_processes 1;
error_log $scratch/nginx/error.log;
pid $scratch/nginx/pid;
daemon off;
events {}
http {
  access_log off;
  client_body_temp_path $scratch/nginx/temp;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:0;
    root $scratch/nginx/files;
    sendfile on;
    dav_methods PUT;
  }
  server {
    listen 127.0.0.1:1 ssl;
    ssl_certificate $scratch/cert.pem;
    ssl_certificate_key $scratch/key.pem;
    root $scratch/nginx/files;
    dav_methods PUT;
  }
}
CONF
# nginx takes no port of the kernel's choice.
read -r peer_port peer_tls_port < <(python3 -c 'import socket; a, b = (socket.create_server(("127.0.0.1", 0)) for _ in range(2)); print(a.getsockname()[1], b.getsockname()[1])')
sed -i "s/127.0.0.1:0/127.0.0.1:$peer_port/; s/127.0.0.1:1 /127.0.0.1:$peer_tls_port /" nginx/nginx.conf
nginx -p nginx -c "$scratch/nginx/nginx.conf" 2> nginx/start.log &
started+=($!)

# The owner's token.
cat > sign-in.json <<JSON
{"organisation": "$(member demo organisation < demo.json)", "email": "$(member demo emails 0 < demo.json)", "password": "$(member demo password < demo.json)"}
JSON
json=(-H 'Content-Type: application/json')
cookie=$(curl -sSf -o me.json -D - "$address/v1/auth/sign-in" "${json[@]}" -H "Origin: $address" -d @sign-in.json |
  sed -n 's/^[Ss]et-[Cc]ookie: \([^;]*\).*/\1/p')
token=$(curl -sSf "$address/v1/tokens" "${json[@]}" -H "Cookie: $cookie" -H "Origin: $address" -H "X-CSRF-Token: $(member csrf_token < me.json)" \
  -d '{"name": "bench", "scopes": ["read", "reports", "datasets", "backup", "restore"]}' | member token)
bearer="Authorization: Bearer $token"
get() { curl -sSf "$address$1" -H "$bearer"; }
# job TARGET BODY: starts it, waits for it, prints it
job() {
  local id state
  id=$(curl -sSf "$address$1" "${json[@]}" -H "$bearer" -H "Idempotency-Key: $RANDOM$RANDOM" -d "$2" | member id)
  until state=$(get "/v1/jobs/$id" | member state) && [[ $state =~ succeeded|failed|cancelled ]]; do sleep 0.2; done
  [ "$state" = succeeded ] || { get "/v1/jobs/$id" >&2; return 1; }
  get "/v1/jobs/$id"
}

# A job that waits for an hour, so that its streams are idle.
waiting=$(python3 -c 'import uuid; print(uuid.uuid4())')
psql -qAt -h "$scratch/data/postgres/socket" -U postgres oneanalytics > psql.log <<SQL
INSERT INTO oa.jobs (tenant_id, id, kind, state, request, created_by, trace_id, run_after)
VALUES ('$(member tenant id < me.json)', '$waiting', 'archive.create', 'queued', '{}', '$(member user id < me.json)', 'bench', now() + interval '1 hour');
SQL

# One person may have 32 streams open: as many Owners, with a token each.
python3 - "$(member tenant id < me.json)" > owners.sql 2> listeners <<'PYTHON'
import base64, hashlib, os, sys, uuid
tenant = sys.argv[1]
for number in range(32):
    person, secret = uuid.uuid4(), os.urandom(32)
    token = f"oab_{tenant.replace('-', '')}_{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"
    print(f"INSERT INTO oa.users VALUES ('{tenant}', '{person}', 'listener{number}@bench.example', 'Listener', '{number}',"
          " '{}', true, true, NULL, now());")
    print("INSERT INTO oa.tokens (tenant_id, id, user_id, name, token_hash, scopes, created_at) VALUES"
          f" ('{tenant}', '{uuid.uuid4()}', '{person}', 'bench', '\\x{hashlib.sha256(secret).hexdigest()}', '{{read}}', now());")
    print(f"Authorization: Bearer {token}", file=sys.stderr)
PYTHON
psql -qAt -h "$scratch/data/postgres/socket" -U postgres oneanalytics < owners.sql > psql.log
workspace=$(get /v1/workspaces | member data 0 id)
echo "load, $seconds s:"
for round in $(seq "$rounds"); do
  echo 5 > "/proc/$service/clear_refs"
  "$build/bench/service_load" "127.0.0.1:$port" "$service" 1000 200 "$seconds" "$bearer"$'\n'"$(cat listeners)" "/v1/jobs/$waiting/events" /v1/workspaces \
    "/v1/workspaces/$workspace/reports" "/v1/workspaces/$workspace/datasets" /v1/archives /v1/jobs "/v1/jobs/$waiting" /v1/me /healthz | sed 's/^/  /'
done

trust=(--cacert cert.pem)
memory() { sed -n "s/^$1:\\s*\\([0-9]*\\) kB/\\1/p" "/proc/$service/status"; }
# transfer NAME BYTES CURL-OPTION...: MB/s to times/NAME; of ours also the memory above idle, in MiB, to times/NAME.memory
transfer() {
  local name=$1 bytes=$2 idle took
  shift 2
  sync
  idle=$(memory VmRSS)
  echo 5 > "/proc/$service/clear_refs"
  took=$(curl -sSf "${trust[@]}" -o /dev/null -w '%{time_total}' "$@")
  python3 -c "print(round($bytes / 1e6 / $took, 1))" >> "times/$name"
  echo $((($(memory VmHWM) - idle) / 1024)) >> "times/$name.memory"
}
upload() {
  local bytes=$1 location
  location=$(curl -sSf "${trust[@]}" -D - -X POST "$address/v1/uploads" -H "$bearer" -H 'Tus-Resumable: 1.0.0' -H "Upload-Length: $bytes" | tr -d '\r' |
    sed -n 's/^[Ll]ocation: //p')
  transfer "upload-ours$2" "$bytes" -X PATCH -T file "$address$location" -H "$bearer" -H 'Tus-Resumable: 1.0.0' -H 'Upload-Offset: 0' \
    -H 'Content-Type: application/offset+octet-stream'
  curl -sSf "${trust[@]}" -X DELETE "$address$location" -H "$bearer" -H 'Tus-Resumable: 1.0.0'
}

bytes=$((mib << 20))
[ "$(stat -c %s file 2> /dev/null)" = "$bytes" ] || head -c "$bytes" /dev/urandom > file
# Rows that do not compress much, in an archive.
[ -e rows.csv ] || { echo text; head -c "$bytes" file | base64 -w 96; } > rows.csv
"$ours" --data data dataset import rows.csv --tenant Demo --workspace "$workspace" --name Random > import.log
archive=$(job /v1/archives '{"rows": true}' | member result archive_id)
get "/v1/archives/$archive/content" > nginx/files/archive
stored=$(stat -c %s nginx/files/archive)
# transfers SUFFIX PEER: both ways, with times/*SUFFIX
transfers() {
  for round in $(seq "$rounds"); do
    upload "$bytes" "$1"
    rm -f nginx/files/received
    transfer "upload-nginx$1" "$bytes" -T file "$2/received"
    transfer "download-ours$1" "$stored" -H "$bearer" "$address/v1/archives/$archive/content"
    transfer "download-nginx$1" "$stored" "$2/archive"
  done
}
transfers '' "http://127.0.0.1:$peer_port"
kill "$service"
wait "$service" || true
up --tls-cert cert.pem --tls-key key.pem
transfers ' by TLS' "https://127.0.0.1:$peer_tls_port"
median() { sort -n "times/$1" | sed -n "$(((rounds + 1) / 2))p"; }
printf '%-16s %9s %12s %12s %8s %22s   medians of %s\n' transfer MB 'ours MB/s' 'nginx MB/s' ratio 'above idle memory, MiB' "$rounds"
for how in '' ' by TLS'; do
  for what in upload download; do
    size=$bytes
    [ "$what" = upload ] || size=$stored
    printf '%-16s %9d %12s %12s %8s %22s\n' "$what$how" $((size / 1000000)) "$(median "$what-ours$how")" "$(median "$what-nginx$how")" \
      "$(python3 -c "print(round($(median "$what-ours$how") / $(median "$what-nginx$how"), 2))")" "$(sort -n "times/$what-ours$how.memory" | tail -n 1)"
  done
done
