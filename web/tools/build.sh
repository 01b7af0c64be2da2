#!/bin/sh
# Checks and builds the pages: FOLDER gets dist/, pages.bin and pages_table.inc.
# usage: web/tools/build.sh FOLDER
set -eu
folder=$1
cd "$(dirname "$0")/.."
exec 9>node_modules/.lock
flock 9
npm run --silent types >/dev/null
npm run --silent check
npm run --silent build -- --outDir "$folder/dist" --emptyOutDir --logLevel warn
node tools/embed.mjs "$folder/dist" "$folder"
