#!/usr/bin/env bash
# The receiver of the log under pgbench: its lag, and what it costs in transactions a second, beside pg_receivewal (in the clear) and
# nobody, asynchronous and as a synchronous standby, in one run.
# usage: bench/receiver.sh BUILD SCRATCH [ROUNDS] [SECONDS]
set -euo pipefail
build=$(realpath "$1")
mkdir -p "$2"
scratch=$(realpath "$2")
rounds=${3:-3}
seconds=${4:-20}
programs=/usr/lib/postgresql/15/bin
as=()
if [ "$(id -u)" -eq 0 ]; then as=(setpriv --reuid=postgres --regid=postgres --init-groups); fi
folder=$(mktemp -d "$scratch/receiver.XXXXXX")
chmod 711 "$folder"
mkdir "$folder/server"
chmod 711 "$scratch"
[ "$(id -u)" -ne 0 ] || chown postgres: "$folder/server"
cd "$folder"
"${as[@]}" "$programs/initdb" -D server/data -U postgres -A trust --locale=C -E UTF8 > initdb.log
"${as[@]}" "$programs/postgres" -D server/data -c listen_addresses= -c "unix_socket_directories=$folder/server" -c shared_buffers=256MB \
  -c max_wal_size=8GB -c max_connections=50 > server.log 2>&1 &
server=$!
started=("$server")
trap 'for pid in "${started[@]}"; do kill -INT "$pid" 2> /dev/null || true; done; wait; rm -rf "$folder"' EXIT
export PGHOST=$folder/server PGUSER=postgres PGDATABASE=postgres
until psql -qAtc 'SELECT 1' > /dev/null 2>&1; do
  kill -0 "$server" || { cat server.log >&2; exit 1; }
  sleep 0.1
done
pgbench -i -q -s 20 2> init.log
psql -qc "SELECT pg_create_physical_replication_slot('pg_receivewal', true)" > /dev/null

number=0
# round WHO SYNC RATE: one line; WHO is none, ours or pg_receivewal
round() {
  local who=$1 sync=$2 rate=$3 names='' receiver='' tps limit=()
  number=$((number + 1))
  case $who in
    ours)
      "$build/bench/receiver_bench" "host=$PGHOST user=postgres" "$folder/ours-$number" "$((seconds + 2))" > lag 2>&1 &
      receiver=$!
      names=oa_receiver ;;
    pg_receivewal)
      mkdir "theirs-$number"
      local how=()
      [ "$sync" = async ] || how=(--synchronous)
      "$programs/pg_receivewal" -D "theirs-$number" -S pg_receivewal "${how[@]}" > theirs.log 2>&1 &
      receiver=$!
      names=pg_receivewal ;;
  esac
  [ -z "$receiver" ] || started+=("$receiver")
  if [ -n "$receiver" ]; then
    until [ "$(psql -qAtc "SELECT count(*) FROM pg_stat_replication WHERE application_name = '$names' AND state = 'streaming'")" = 1 ]; do
      kill -0 "$receiver" || { cat lag theirs.log >&2; exit 1; }
      sleep 0.1
    done
  fi
  [ "$sync" = async ] && names=''
  psql -qc "ALTER SYSTEM SET synchronous_standby_names = '$names'" -c 'SELECT pg_reload_conf()' > /dev/null
  [ "$rate" = max ] || limit=(-R "$rate")
  tps=$(pgbench -n -c 8 -j 2 -T "$seconds" "${limit[@]}" 2> pgbench.log | sed -n 's/^tps = \([0-9]*\).*/\1/p')
  psql -qc "ALTER SYSTEM SET synchronous_standby_names = ''" -c 'SELECT pg_reload_conf()' > /dev/null
  case $who in
    ours) wait "$receiver" || { cat lag >&2; exit 1; } ;;
    pg_receivewal) kill -INT "$receiver"; wait "$receiver" || true ;;
  esac
  printf '%-14s %-6s %-5s %5s tps   %s\n' "$who" "$sync" "$rate" "$tps" "$([ "$who" = ours ] && cat lag || true)"
  psql -qc CHECKPOINT
  rm -rf "ours-$number" "theirs-$number"
}

for _ in $(seq "$rounds"); do
  round ours async 2000
  round none async max
  for sync in async sync; do
    round ours "$sync" max
    round pg_receivewal "$sync" max
  done
done
