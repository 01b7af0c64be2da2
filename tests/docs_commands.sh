#!/usr/bin/env bash
# Runs every command shown in the documents: all lines of their ```console blocks, in order, in one scratch folder.
# usage: docs_commands.sh PATH-TO-OA-BACKUP
set -euo pipefail
binary=$(realpath "$1")
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d /tmp/oa-docs-XXXXXX)
chmod 0711 "$scratch"
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/work"
ln -s "$binary" "$scratch/bin/oa-backup"
ran=0
for document in "$root"/README.md "$root"/docs/*.md; do
  commands=$(awk '/^```console$/ { on = 1; next } /^```$/ { on = 0 } on && /^\$ / { print substr($0, 3) }' "$document")
  [ -n "$commands" ] || continue
  folder="$scratch/work/$(basename "$document" .md)"
  mkdir "$folder"
  chmod 0711 "$folder"
  echo "== ${document#"$root"/}"
  if ! (cd "$folder" && OA_DATA="$folder/data" PATH="$scratch/bin:$PATH" bash -euxo pipefail -c "$commands") >"$scratch/log" 2>&1; then
    cat "$scratch/log"
    echo "error: a command of ${document#"$root"/} failed"
    exit 1
  fi
  ran=$((ran + $(printf '%s\n' "$commands" | wc -l)))
done
echo "$ran commands ran"
[ "$ran" -gt 0 ]
