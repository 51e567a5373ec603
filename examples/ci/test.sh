#!/bin/sh
# A tool's test, run where an Adjunct host's tree is /sys. It knows nothing of that.
set -eu
uuid=$(uuidgen)
name=mdev_$(echo "$uuid" | tr - _)_matrix

mdevctl define --uuid "$uuid" --parent matrix --type vfio_ap-passthrough
mdevctl modify --uuid "$uuid" --addattr=assign_adapter --value=0x05
mdevctl modify --uuid "$uuid" --addattr=assign_domain --value=0x47
virsh nodedev-start "$name"
test "$(cat "/sys/bus/mdev/devices/$uuid/matrix")" = 05.0047
virsh nodedev-destroy "$name"
virsh nodedev-undefine "$name"
echo passed
