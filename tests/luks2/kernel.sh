#!/bin/sh
# Fetches Debian's kernel for virtual machines, and unpacks it; nothing is installed. Does nothing when it is there.
# usage: kernel.sh FOLDER
set -eu
mkdir -p "$1"
cd "$1"
[ -z "$(find root/boot -name 'vmlinuz-*' 2>/dev/null)" ] || exit 0
name=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p' | head -1)
if [ -z "$name" ]; then
  echo "error: apt does not know linux-image-cloud-amd64" >&2
  echo "  hint: apt-get update" >&2
  exit 1
fi
rm -rf root.partial
apt-get download -qq "$name"
dpkg-deb -x "$name"_*.deb root.partial
rm -f "$name"_*.deb
rm -rf root
mv root.partial root
