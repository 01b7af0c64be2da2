#!/usr/bin/env bash
# Makes the workbooks here anew from orders.fods by LibreOffice (apt-get install libreoffice-calc).
# usage: src/workbooks/testdata/make_workbooks.sh
set -euo pipefail
cd "$(dirname "$0")"
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
office=(soffice "-env:UserInstallation=file://$home" --headless)
"${office[@]}" --convert-to "xlsx:Calc MS Excel 2007 XML" orders.fods
"${office[@]}" --convert-to "xls:MS Excel 97" orders.fods
# Latin-1, semicolons, the first sheet.
"${office[@]}" --convert-to "csv:Text - txt - csv (StarCalc):59,34,ANSI,1,,1031,false,true,false,false,false,1" \
  --outdir "$home" orders.fods
mv "$home"/orders*.csv orders_latin1.txt
