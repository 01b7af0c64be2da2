#!/usr/bin/env bash
# Sets a host up so that nothing readable lies on a disk: a LUKS2 volume (AES-256) for the data folder, swap that is
# encrypted with a random key or off, no core dumps, no hibernation. Survives a restart by crypttab, fstab, sysctl.d.
# What each step is for, and what is to be done by hand: deploy/luks2.md.
#
# usage: luks2-setup.sh --device DEVICE --mount FOLDER [--name NAME] [--key-file FILE] [--swap off|DEVICE] [--yes]
#        luks2-setup.sh --swap off|DEVICE [--yes]
#   --device    block device or partition that becomes the volume: WHAT IS ON IT IS LOST
#   --mount     where it is mounted, e.g. /srv/oa
#   --name      of the opened volume (default: oa)
#   --key-file  opens the volume without asking; keep it on another device than the volume. Default: a passphrase,
#               asked for now and at each start of the host
#   --swap      off: no swap; DEVICE: swap there, under a key that is made anew at each start: WHAT IS ON IT IS LOST
#   --yes       do not ask whether to go on
set -euo pipefail

device="" folder="" name=oa key_file="" swap="" yes=false
fail() { echo "error: $1" >&2; [ -z "${2:-}" ] || echo "  hint: $2" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case "$1" in
    --device | --mount | --name | --key-file | --swap)
      [ $# -ge 2 ] || fail "$1 takes a value" "luks2-setup.sh --help"
      case "$1" in
        --device) device=$2 ;;
        --mount) folder=$2 ;;
        --name) name=$2 ;;
        --key-file) key_file=$2 ;;
        --swap) swap=$2 ;;
      esac
      shift 2 ;;
    --yes) yes=true; shift ;;
    --help | -h) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) fail "unknown option $1" "luks2-setup.sh --help" ;;
  esac
done
[ "$(id -u)" -eq 0 ] || fail "only root can set a volume up" "run it with sudo"
command -v cryptsetup >/dev/null || fail "cryptsetup is not installed" "apt-get install cryptsetup"
[ -n "$device$swap" ] || fail "nothing to do" "give --device and --mount, or --swap"
[ -z "$device" ] || [ -n "$folder" ] || fail "where to mount the volume is not said" "give --mount FOLDER"
[[ "$name" =~ ^[a-z0-9-]{1,32}$ ]] || fail "the name has 1 to 32 of a-z, 0-9 and -"
[[ "$device$folder$key_file$swap" != *[[:space:]]* ]] || fail "paths with blanks cannot be written into fstab"
[ -z "$key_file" ] || [ -s "$key_file" ] || fail "the key file is not there: $key_file" "head -c 64 /dev/urandom > FILE; chmod 0400 FILE"

free_device() {  # a block device that nothing uses
  [ -b "$1" ] || fail "$1 is no block device" "lsblk shows them"
  if grep -q "^$(readlink -f "$1") " /proc/mounts; then fail "$1 is mounted" "umount it first"; fi
  local numbers
  numbers=$(printf '%d:%d' "0x$(stat -Lc %t "$1")" "0x$(stat -Lc %T "$1")")
  if [ -n "$(ls "/sys/dev/block/$numbers/holders" 2>/dev/null)" ]; then fail "$1 is in use (LVM, RAID or an open volume)"; fi
}
agreed() {
  $yes && return
  read -r -p "Everything on $1 will be lost. Type $1 to go on: " answer
  [ "$answer" = "$1" ] || fail "nothing was changed"
}
# A line of fstab or crypttab, once: what was there under the same first word goes.
set_line() {
  touch "$1"
  awk -v key="$2" '$1 != key' "$1" >"$1.oa"
  echo "$3" >>"$1.oa"
  chmod --reference="$1" "$1.oa" 2>/dev/null || chmod 0644 "$1.oa"
  mv "$1.oa" "$1"
}

if [ -n "$device" ]; then
  free_device "$device"
  [ ! -e "/dev/mapper/$name" ] || fail "a volume $name is open already" "give another --name"
  agreed "$device"
  unlock=()
  [ -z "$key_file" ] || unlock=(--key-file "$key_file")
  echo "LUKS2 on $device (aes-xts-plain64, 512 bits: AES-256)"
  cryptsetup luksFormat --batch-mode --type luks2 --cipher aes-xts-plain64 --key-size 512 --pbkdf argon2id "${unlock[@]}" "$device"
  cryptsetup open --type luks2 "${unlock[@]}" "$device" "$name"
  mkfs.ext4 -q -m 1 "/dev/mapper/$name"
  mkdir -p "$folder"
  mount -o nodev,nosuid "/dev/mapper/$name" "$folder"
  chmod 0711 "$folder"
  set_line /etc/crypttab "$name" "$name UUID=$(cryptsetup luksUUID "$device") ${key_file:-none} luks"
  set_line /etc/fstab "/dev/mapper/$name" "/dev/mapper/$name $folder ext4 nodev,nosuid,nofail 0 2"
fi

if [ "$swap" = off ]; then
  echo "Swap off"
  swapoff -a
  [ ! -e /etc/fstab ] || sed -i 's/^\([^#].*[[:space:]]swap[[:space:]].*\)$/#\1/' /etc/fstab
elif [ -n "$swap" ]; then
  [ -b "$swap" ] || fail "$swap is no block device" "--swap off, or a partition"
  swapoff "$swap" 2>/dev/null || true
  free_device "$swap"
  agreed "$swap"
  echo "Swap on $swap under a random key"
  cryptsetup open --batch-mode --type plain --cipher aes-xts-plain64 --key-size 512 --key-file /dev/urandom "$swap" "$name-swap"
  mkswap "/dev/mapper/$name-swap" >/dev/null
  swapon "/dev/mapper/$name-swap"
  # A name that stays with the partition: at the next start another one would be overwritten.
  stable=$(find /dev/disk/by-partuuid /dev/disk/by-id -lname "*/$(basename "$(readlink -f "$swap")")" 2>/dev/null | head -1 || true)
  [ -n "$stable" ] || echo "warning: $swap has no name under /dev/disk/by-partuuid: see to it that it stays $swap" >&2
  set_line /etc/crypttab "$name-swap" "$name-swap ${stable:-$swap} /dev/urandom plain,swap,cipher=aes-xts-plain64,size=512"
  [ ! -e /etc/fstab ] || sed -i 's/^\([^#].*[[:space:]]swap[[:space:]].*\)$/#\1/' /etc/fstab
  set_line /etc/fstab "/dev/mapper/$name-swap" "/dev/mapper/$name-swap none swap sw 0 0"
fi

echo "No core dumps, no hibernation"
mkdir -p /etc/sysctl.d /etc/security/limits.d /etc/systemd/coredump.conf.d /etc/systemd/sleep.conf.d
printf 'kernel.core_pattern = |/bin/false\nfs.suid_dumpable = 0\n' >/etc/sysctl.d/90-oa-no-core-dumps.conf
echo '|/bin/false' >/proc/sys/kernel/core_pattern
echo 0 >/proc/sys/fs/suid_dumpable
printf '* hard core 0\n* soft core 0\n' >/etc/security/limits.d/90-oa-no-core-dumps.conf
printf '[Coredump]\nStorage=none\nProcessSizeMax=0\n' >/etc/systemd/coredump.conf.d/90-oa.conf
printf '[Sleep]\nAllowHibernation=no\nAllowHybridSleep=no\nAllowSuspendThenHibernate=no\n' >/etc/systemd/sleep.conf.d/90-oa.conf

echo "Done. Now: oa-backup doctor --data ${folder:-FOLDER}"
