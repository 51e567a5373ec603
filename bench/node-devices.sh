#!/bin/sh
# How long libvirt takes over a tree: a fresh daemon until its list is whole, then a further list. As the root of new mount and network namespaces:
#
#   unshare --mount --net sh node-devices.sh SYS WORK COUNT
#
#   SYS   what becomes /sys
#   WORK  an empty folder with etc/libvirt, var/lib/libvirt, var/cache/libvirt and run
#   COUNT how many devices of AP a whole list has
#
# Prints both times in nanoseconds; leaves the lists in WORK/first and WORK/second.
set -eu
sys=$1 work=$2 count=$3
mount --make-rprivate /
mount --rbind "$sys" /sys
for folder in etc/libvirt var/lib/libvirt var/cache/libvirt run; do mount --bind "$work/$folder" "/$folder"; done
mkdir -p /run/udev
: >/run/udev/control
ip link set lo up
export SYSTEMD_DEVICE_VERIFY_SYSFS=0

start=$(date +%s%N)
libvirtd >"$work/log" 2>&1 &
daemon=$!
until [ -S /run/libvirt/libvirt-sock ]; do
	kill -0 $daemon
	sleep 0.002
done
# The daemon answers while it still looks.
until virsh nodedev-list >"$work/first" && [ "$(grep -c '^ap_' "$work/first")" -ge "$count" ]; do
	kill -0 $daemon
	sleep 0.002
done
first=$(date +%s%N)
virsh nodedev-list >"$work/second"
second=$(date +%s%N)
kill $daemon
wait $daemon || true
echo $((first - start)) $((second - first))
