#!/bin/bash
# Runs as the first program of the virtual machine of luks2_test.py: makes volumes on its disks, and shows what
# `oa-backup doctor` says of each. vda becomes the volume of deploy/luks2-setup.sh, vdb stays plain, vdc is for swap, vdd for others.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DM_DISABLE_UDEV=1 HOME=/tmp LC_ALL=C
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
busybox mount -t tmpfs tmpfs /run
for module in $(cat /modules/order); do busybox insmod "/modules/$module" || echo "@@FAILED insmod $module"; done
for _ in $(seq 100); do [ -b /dev/vdd ] && break; sleep 0.1; done

# "@@RESULT NAME STATUS JSON"
show() {
  local name=$1 status=0
  shift
  "$@" >/tmp/out 2>/tmp/err </dev/null || status=$?
  echo "@@RESULT $name $status $(cat /tmp/out /tmp/err | tr '\n' ' ')"
}
doctor() { show "$1" oa-backup doctor --json --data "$2"; }
must() { "$@" </dev/null >/tmp/must 2>&1 || echo "@@FAILED $*: $(tail -c 500 /tmp/must | tr '\n' ' ')"; }

echo core >/proc/sys/kernel/core_pattern
must mkfs.ext4 -q /dev/vdb
mkdir -p /plain /other /loop
must mount /dev/vdb /plain
must mkswap /dev/vdc
must swapon /dev/vdc
doctor plain /plain/oa
show strict oa-backup up --strict --json --port 0 --data /plain/oa

head -c 64 /dev/urandom >/run/key
must luks2-setup.sh --device /dev/vda --mount /srv/oa --key-file /run/key --swap /dev/vdc --yes
doctor set-up /srv/oa/data
show again luks2-setup.sh --device /dev/vda --mount /srv/oa2 --name other --key-file /run/key --yes
show mounted luks2-setup.sh --device /dev/vdb --mount /srv/oa3 --name third --key-file /run/key --yes
show files cat /etc/crypttab /etc/fstab /proc/sys/kernel/core_pattern

# Who may not ask device-mapper nor read the disk sees that there is LUKS2, and no more.
show unprivileged setpriv --reuid=65534 --regid=65534 --clear-groups oa-backup doctor --json --data /srv/oa/data
# With the kernel's table out of reach, the header tells.
mv /dev/mapper/control /dev/mapper/hidden
doctor header /srv/oa/data
mv /dev/mapper/hidden /dev/mapper/control

truncate -s 40M /srv/oa/image
must busybox losetup /dev/loop0 /srv/oa/image
must mkfs.ext4 -q /dev/loop0
must mount /dev/loop0 /loop
doctor loop /loop/data

# The service itself, which does not start elsewhere; its Postgres runs as an account of its own.
mkdir -p /dev/shm
busybox mount -t tmpfs tmpfs /dev/shm
chmod 1777 /tmp /dev/shm
busybox ip link set lo up
oa-backup up --strict --json --port 0 --data /srv/oa/data >/tmp/up 2>/tmp/up.err </dev/null &
up=$!
for _ in $(seq 1200); do [ -s /tmp/up ] || [ ! -d /proc/$up ] && break; sleep 0.1; done
show up cat /tmp/up /tmp/up.err
doctor running /srv/oa/data
kill $up
show down wait $up

must luks2-setup.sh --swap off
doctor swap-off /srv/oa/data

other() {
  local name=$1
  shift
  must cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /run/key "$@" /dev/vdd
  must cryptsetup open --key-file /run/key /dev/vdd other
  must mkfs.ext4 -q /dev/mapper/other
  must mount /dev/mapper/other /other
  doctor "$name" /other/data
  umount /other
  must cryptsetup close other
}
other luks1 --type luks1 --cipher aes-xts-plain64 --key-size 512
other aes-128 --type luks2 --cipher aes-xts-plain64 --key-size 256
other aes-cbc --type luks2 --cipher aes-cbc-essiv:sha256 --key-size 256

echo "@@END"
busybox reboot -f
