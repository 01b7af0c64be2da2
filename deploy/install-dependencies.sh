#!/usr/bin/env bash
# Installs what building, running and testing needs on Debian 12. Does nothing when everything is there.
# usage: deploy/install-dependencies.sh
set -euo pipefail

packages=(
  build-essential g++ cmake ninja-build ccache pkg-config
  libssl-dev llvm-16-dev libsodium-dev libzstd-dev libpq-dev libcurl4-openssl-dev libboost1.81-dev libboost-json1.81-dev libfmt-dev libcli11-dev libyaml-cpp-dev
  libexpat1-dev zlib1g-dev libp11-kit-dev
  prometheus-cpp-dev
  libgtest-dev librapidcheck-dev
  postgresql-15 pgbackrest patroni etcd-server util-linux
  softhsm2
  faketime zstd minisign b3sum python3 python3-yaml python3-jsonschema time curl jq openssl
  radosgw ceph-mon ceph-osd
  qemu-system-x86 busybox-static cpio cryptsetup-bin e2fsprogs
  chromium
)
# npm fetches the pinned DuckDB; an npm that is not Debian's does as well.
command -v npm >/dev/null || packages+=(npm)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "error: these packages are missing and there is no sudo: ${missing[*]}" >&2
    echo "  hint: run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing: ${missing[*]}"
# Postgres is run by oa-backup itself: keep the package from making and starting a cluster of its own.
if ! dpkg-query -W postgresql-common >/dev/null 2>&1; then
  "${as_root[@]}" mkdir -p /etc/postgresql-common
  echo "create_main_cluster = false" | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
# etcd is for a test, which runs one of its own: the package is not to start a service here.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
  "${as_root[@]}" chmod 755 /usr/sbin/policy-rc.d
  trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
