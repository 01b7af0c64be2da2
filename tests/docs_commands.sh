#!/usr/bin/env bash
# Runs every command shown in the documents: all lines of their ```console blocks, in order, in one scratch folder.
# usage: docs_commands.sh PATH-TO-OA-BACKUP PATH-TO-OA-ARCHIVE
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d /tmp/oa-docs-XXXXXX)
chmod 0711 "$scratch"
# A document that starts a server writes its pid; when a command fails before its end, it is ended here.
end_servers() {
  for file in "$scratch"/docs/*/up.pid; do
    [ -e "$file" ] && kill "$(cat "$file")" 2>/dev/null && tail --pid="$(cat "$file")" -f /dev/null
  done
  true
}
trap 'end_servers; rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/docs"
ln -s "$(realpath "$1")" "$scratch/bin/oa-backup"
ln -s "$(realpath "$2")" "$scratch/bin/oa-archive"
ran=0
for document in "$root"/README.md "$root"/docs/*.md; do
  commands=$(awk '/^```console$/ { on = 1; next } /^```$/ { on = 0 } on && /^\$ / { print substr($0, 3) }' "$document")
  [ -n "$commands" ] || continue
  folder="$scratch/docs/$(basename "$document" .md)"
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

# format.md shows how to check an archive with tools that are not ours: its ```sh blocks run in one shell.
echo "== docs/format.md, with other tools"
folder="$scratch/docs/format-tools"
mkdir "$folder"
chmod 0711 "$folder"
export OA_DATA="$folder/data" PATH="$scratch/bin:$PATH" ARCHIVE="$folder/demo.oa-archive"
oa-backup demo --rows 5000 >"$scratch/log"
oa-backup archive create --tenant Demo --rows --audit --output "$ARCHIVE" >>"$scratch/log"
KEY=$(oa-backup keys list Demo --json | sed 's/.*"public_key":"\([^"]*\)".*/\1/')
export KEY
script=$(awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$root/docs/format.md")
if ! (cd "$folder" && bash -euxo pipefail -c "$script") >"$scratch/log" 2>&1; then
  tail -20 "$scratch/log"
  echo "error: a command of docs/format.md failed"
  exit 1
fi
lines=$(printf '%s\n' "$script" | wc -l)
[ "$lines" -ge 10 ]
ran=$((ran + lines))
echo "$ran commands ran"
[ "$ran" -gt 0 ]
