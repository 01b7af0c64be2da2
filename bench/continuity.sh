#!/usr/bin/env bash
# continuity.sh BUILD_DIR SCRATCH_DIR [ROUNDS] [MIB] [LOG_MIB]
# Continuous backup on a cell of MIB with ten tenants and LOG_MIB of log since the last backup: full, differential and incremental backups;
# one tenant as of a moment as an archive, split into restore, replay, and reading out with what it takes to start; the whole cell into a new folder.
# Beside it in the same rounds a plain `pgbackrest restore` of the same repository to the same moment and a plain start of its server.
# Runs as root, for its own Postgres. Scratch needs six times MIB, on a disk.
set -euo pipefail
case "${1:-}" in "" | -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;; esac
build=$(realpath "$1") rounds=${3:-3} mib=${4:-1024} log_mib=${5:-300}
ours=$build/apps/oa-backup/oa-backup
programs=/usr/lib/postgresql/15/bin
for program in pgbackrest psql python3 setpriv "$programs/postgres"; do
  command -v "$program" > /dev/null || { echo "error: $program is missing; apt-get install pgbackrest postgresql-15 python3 util-linux" >&2; exit 2; }
done
mkdir -p "$2"
scratch=$(realpath "$2")
cd "$scratch"
chmod 755 .
rm -rf data peer into times up.json
mkdir times
started=()
trap 'for pid in "${started[@]}"; do kill "$pid" 2> /dev/null || true; done; wait' EXIT

member() { python3 -c 'import functools, json, sys; print(functools.reduce(lambda d, k: d[int(k) if k.isdigit() else k], sys.argv[1:], json.load(sys.stdin)))' "$@"; }
now() { date +%s.%N; }
note() { echo "$2" >> "times/$1"; }
since() { python3 -c "print(round($(now) - $1, 3))"; }
median() { sort -n "times/$1" | sed -n "$(((rounds + 1) / 2))p"; }
figure() { python3 -c "print($1)"; }
sql() { psql -XqAt -h "$scratch/data/postgres/socket" -U postgres oneanalytics -c "$1"; }
as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups env -i PATH=/usr/bin:/bin LC_ALL=C TZ=UTC)
up() {
  rm -f up.json
  "$ours" --data data --json up "$@" --port 0 > up.json 2> up.log &
  service=$!
  started+=("$service")
  until [ -s up.json ]; do
    kill -0 "$service" || { cat up.log >&2; exit 1; }
    sleep 0.1
  done
}
run() { "$ours" --data data --json continuity run "$1"; }

up --demo --rows 2000
until "$ours" --data data --json continuity status | grep -q '"earliest":"'; do sleep 0.5; done
for number in 2 3 4 5 6 7 8 9 10; do "$ours" --data data --json tenant create "Tenant $number" > tenant.json; done
# One tenant in ten has what is read out: 10,000 reports. Of the others it is only the bytes that count: a table each, since files are what the processes of
# pgbackrest share out.
sql "INSERT INTO oa.reports SELECT r.tenant_id, gen_random_uuid(), r.workspace_id, r.name || ' ' || n, r.document, r.created_by, r.created_at, r.updated_at
       FROM (SELECT * FROM oa.reports WHERE workspace_id = (SELECT id FROM oa.workspaces WHERE name = 'Sales' LIMIT 1) LIMIT 1) r, generate_series(1, 10000) n"
rows=$((mib * 1000 / 9))  # of about 1 KiB
for number in 1 2 3 4 5 6 7 8 9; do
  sql "CREATE TABLE oa.bench_$number AS SELECT n, (SELECT string_agg(md5((n * 31 + i + $number)::text), '') FROM generate_series(1, 31) i) AS text
         FROM generate_series(1, $rows) n"
  sql "CREATE INDEX ON oa.bench_$number (n)"
done
sql "CHECKPOINT"
size=$(sql "SELECT sum(pg_database_size(oid)) FROM pg_database")
# change TENANT FROM MIB: so much log, more or less, of one tenant's rows
change() { sql "UPDATE oa.bench_$1 SET text = reverse(text) WHERE n BETWEEN $2 AND $2 + $3 * 500"; }
echo "cell: $((size / 1000000)) MB, ten tenants"
for round in $(seq "$rounds"); do
  for kind in full differential incremental; do
    [ "$kind" = full ] || change 1 $((round * 10000)) 10
    run "$kind" > detail.json
    note "$kind.seconds" "$(member detail seconds < detail.json)"
    note "$kind.read" "$(member detail read_bytes < detail.json)"
  done
done
printf '%-14s %10s %12s %10s   medians of %s\n' backup 'MB read' seconds 'MB/s' "$rounds"
for kind in full differential incremental; do
  printf '%-14s %10d %12s %10s\n' "$kind" "$(figure "int($(median $kind.read) / 1e6)")" "$(figure "round($(median $kind.seconds), 1)")" \
    "$(figure "round($(median $kind.read) / 1e6 / $(median $kind.seconds), 1)")"
done

# The log since, and the moment, which both get from the archive.
begin=$(sql "SELECT pg_current_wal_lsn()")
for number in 1 2 3 4 5 6 7 8 9; do change $number 50000 $((log_mib / 9)); done
log=$(sql "SELECT pg_current_wal_lsn() - '$begin'")
sleep 1
moment=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
sleep 1
sql "CREATE TABLE oa.bench_later ()"
segment=$(sql "SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
sql "SELECT pg_switch_wal()" > switched
until [ "$(sql "SELECT last_archived_wal >= '$segment' FROM pg_stat_archiver")" = t ]; do sleep 0.2; done
echo "log since the last backup: $((log / 1000000)) MB"

postmaster=$(head -n 1 data/postgres/data/postmaster.pid)
configuration=/proc/$postmaster/fd/3  # with the passphrase; on no disk
# peer FOLDER ACTION: restores and recovers by pgbackrest's and Postgres' own means; sets restored, recovered
peer() {
  local begun
  rm -rf "$1"
  install -d -o postgres -g postgres -m 700 "$1" "$1/data"
  begun=$(now)
  "${as_postgres[@]}" pgbackrest --config=/proc/self/fd/3 --stanza=main --pg1-path="$scratch/$1/data" restore --type=time --target="$(sed 's/T/ /; s/Z$/+00/' <<< "$moment")" \
    --target-exclusive --target-action="$2" 3< "$1.configuration"
  restored=$(since "$begun")
  begun=$(now)
  "${as_postgres[@]}" "$programs/postgres" -D "$scratch/$1/data" -c listen_addresses= -c "unix_socket_directories=$scratch/$1" \
    -c archive_mode=off -c hot_standby=on 3< "$1.configuration" > "$1/log" 2>&1 &
  server=$!
  started+=("$server")
  local wanted
  [ "$2" = pause ] && wanted="pg_get_wal_replay_pause_state() = 'paused'" || wanted="NOT pg_is_in_recovery()"
  until [ "$(psql -XqAt -h "$scratch/$1" -U postgres postgres -c "SELECT $wanted" 2> /dev/null)" = t ]; do
    kill -0 "$server" || { tail "$1/log" >&2; exit 1; }
    sleep 0.02
  done
  recovered=$(since "$begun")
}
end_peer() {
  kill -INT "$server"
  wait "$server" || true
}

# watch: while a tenant is brought back, when its scratch cluster had its files, was at the moment, and was gone
watch() {
  local folder=data/continuity/scratch log
  until compgen -G "$folder/*/data/postmaster.pid" > /dev/null; do sleep 0.01; done
  now > times/has_files
  log=$(compgen -G "$folder/*/server.log")
  until grep -q 'pausing at the end of recovery' "$log"; do sleep 0.01; done
  now > times/at_moment
  while compgen -G "$folder/*/data" > /dev/null; do sleep 0.01; done
  now > times/gone
}
for round in $(seq "$rounds"); do
  sync
  watch &
  begun=$(now)
  "$ours" --data data --json continuity moment --tenant Demo --at "$moment" > moment.json
  ended=$(now)
  wait $!
  note tenant "$(figure "$ended - $begun")"
  note tenant.restore "$(figure "$(cat times/has_files) - $begun")"
  note tenant.replay "$(figure "$(cat times/at_moment) - $(cat times/has_files)")"
  note tenant.read "$(figure "$ended - $(cat times/at_moment)")"
  sync
  (umask 077 && cat "$configuration" > peer.configuration)
  chown postgres peer.configuration
  peer peer pause
  end_peer
  note peer.tenant "$(figure "$restored + $recovered")"
  note peer.tenant.restore "$restored"
  note peer.tenant.replay "$recovered"
done
kill "$service"
wait "$service" || true
for round in $(seq "$rounds"); do
  rm -rf into
  sync
  begun=$(now)
  "$ours" --data data --json continuity recover --to "$moment" --into into > recovered.json
  note cell "$(since "$begun")"
  note cell.restore "$(member restore_seconds < recovered.json)"
  note cell.replay "$(member recovery_seconds < recovered.json)"
  note cell.rest "$(figure "$(tail -n 1 times/cell) - $(member restore_seconds < recovered.json) - $(member recovery_seconds < recovered.json)")"
  sync
  peer peer promote
  note peer.cell "$(figure "$restored + $recovered")"
  note peer.cell.restore "$restored"
  note peer.cell.replay "$recovered"
  end_peer
done
rm -rf peer peer.configuration into
printf '\n%-24s %8s %8s %8s   medians of %s\n' 'back to a moment' 'ours/s' 'peer/s' ratio "$rounds"
row() {
  local theirs=- ratio=-
  if [ -n "${3:-}" ]; then
    theirs=$(figure "round($(median "$3"), 1)")
    ratio=$(figure "round($(median "$2") / $(median "$3"), 2)")
  fi
  printf '%-24s %8s %8s %8s\n' "$1" "$(figure "round($(median "$2"), 1)")" "$theirs" "$ratio"
}
row 'one tenant' tenant peer.tenant
row '  restore' tenant.restore peer.tenant.restore
row '  replay' tenant.replay peer.tenant.replay
row '  read out and verify' tenant.read
row 'the cell, promoted' cell peer.cell
row '  restore' cell.restore peer.cell.restore
row '  replay and promotion' cell.replay peer.cell.replay
row '  checks, stop, sync' cell.rest
printf 'restore %s MB/s (peer %s), replay %s MB/s (peer %s)\n' "$(figure "round($size / 1e6 / $(median cell.restore))")" \
  "$(figure "round($size / 1e6 / $(median peer.cell.restore))")" "$(figure "round($log / 1e6 / $(median tenant.replay))")" \
  "$(figure "round($log / 1e6 / $(median peer.tenant.replay))")"
