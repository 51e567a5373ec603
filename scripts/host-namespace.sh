#!/bin/sh
# Makes the namespaces of one host and holds them until its input ends, that is until the host's process is gone. Meanwhile it keeps
# their programs informed of devices (keep-devices.pl).
# Runs as the first program of new mount and network namespaces, as their root:
#
#   unshare --mount --net --propagation slave sh host-namespace.sh SYS WORK ETC LIBVIRT RUN [DEV]
#
#   SYS   the folder that becomes /sys
#   WORK  an empty folder: a tmpfs goes there, and on it what /dev, /run and changes of /etc are made of
#   ETC   the host's own mdevctl.d and udev/rules.d
#   LIBVIRT  the host's own etc/libvirt, var/lib/libvirt and so on
#   RUN   the folder of control sockets; stays reachable when it is below /run
#   DEV   files of /dev that the tree has: vfio
#
# Prints `problem TEXT` for what this machine could not give, then `ready`.
set -eu
sys=$1 work=$2 etc=$3 libvirt=$4 run=$5 dev=${6-}

problem() { printf 'problem %s\n' "$*"; }

bring_up_loopback() {
	ip link set lo up 2>/dev/null && return
	ifconfig lo up 2>/dev/null && return
	# SIOCSIFFLAGS with IFF_UP and IFF_RUNNING
	perl -e 'socket(S, 2, 2, 0) && ioctl(S, 0x8914, pack("a16 s x14", "lo", 0x41)) or exit 1' 2>/dev/null && return
	problem "lo stays down in the host's network: none of ip, ifconfig and perl could bring it up (package iproute2)"
}

is_usable() { [ -r "$1" ] && [ -w "$1" ]; }

# What most programs expect, from the machine's own nodes: mknod is not allowed in a user namespace, a bind mount is.
fill_dev() {
	for node in null zero full random urandom tty kvm fuse; do
		[ -e "/dev/$node" ] || continue
		[ "$node" != kvm ] || is_usable /dev/kvm || continue
		: >"$work/dev/$node"
		mount --bind "/dev/$node" "$work/dev/$node" || problem "/dev/$node is missing in the namespace"
	done
	# libvirt examines an emulator again and again that has KVM where its user cannot open this.
	[ -e "$work/dev/kvm" ] || (umask 0 && : >"$work/dev/kvm")
	mkdir "$work/dev/pts" "$work/dev/shm"
	fill_pts
	chmod 1777 "$work/dev/shm"
	if [ -n "$dev" ]; then
		mkdir "$work/dev/vfio"
		mount --bind "$dev/vfio" "$work/dev/vfio" || problem "/dev/vfio is empty in the namespace"
	fi
	ln -s /proc/self/fd "$work/dev/fd"
	ln -s /proc/self/fd/0 "$work/dev/stdin"
	ln -s /proc/self/fd/1 "$work/dev/stdout"
	ln -s /proc/self/fd/2 "$work/dev/stderr"
}

# The kernel looks for pts beside ptmx, which a bind mount of the node hides: that of devpts itself is taken, or a devpts of its own where the
# machine's lets nobody but root open that.
fill_pts() {
	ln -s pts/ptmx "$work/dev/ptmx"
	mount --rbind /dev/pts "$work/dev/pts" || problem "/dev/pts is missing in the namespace: no terminals"
	[ -w "$work/dev/pts/ptmx" ] || mount -t devpts -o newinstance,mode=620,ptmxmode=666 adjunct "$work/dev/pts" ||
		problem "no program in the host can make a terminal: /dev/pts/ptmx cannot be opened"
}

fill_run() {
	mkdir -p "$work/run/udev" "$work/run/lock"
	chmod 1777 "$work/run/lock"
	# libudev listens for events only where this exists or /dev is a devtmpfs.
	: >"$work/run/udev/control"
	resolver=$(readlink -f /etc/resolv.conf || true)
	case $resolver in
	/run/*)
		mkdir -p "$work${resolver%/*}"
		cp "$resolver" "$work$resolver" 2>/dev/null || problem "$resolver cannot be read: no name service with --net host"
		;;
	esac
	case $run in
	/run/*)
		mkdir -p "$work$run"
		mount --bind "$run" "$work$run"
		;;
	esac
}

# Folders that the machine does not have are made on a layer above its /etc: nothing is written to the machine.
cover_etc() {
	for folder in mdevctl.d udev/rules.d; do
		[ -d "/etc/$folder" ] || layer_etc
		[ -d "/etc/$folder" ] || continue
		mount --rbind "$etc/$folder" "/etc/$folder" || problem "/etc/$folder is the machine's own in the namespace"
	done
}

layer_etc() {
	if [ ! -d "$work/etc" ]; then
		mkdir "$work/etc" "$work/etc-work"
		layers="lowerdir=/etc,upperdir=$work/etc,workdir=$work/etc-work"
		mount -t overlay -o "$layers" adjunct-etc /etc 2>/dev/null ||
			mount -t overlay -o "$layers,userxattr" adjunct-etc /etc 2>/dev/null || true
	fi
	mkdir -p "/etc/$folder" 2>/dev/null ||
		problem "/etc/$folder is missing on this machine and cannot be laid over it: as root, mkdir -p /etc/$folder"
}

# libvirt's daemon is not to see what the machine's one knows. Status 1: there is none.
cover_libvirt() {
	command -v libvirtd >/dev/null || return 1
	for folder in etc/libvirt var/lib/libvirt var/cache/libvirt var/log/libvirt; do
		[ -d "/$folder" ] || continue
		mount --bind "$libvirt/$folder" "/$folder" && continue
		problem "/$folder is the machine's own in the namespace, so libvirt is not started there"
		return 1
	done
	# At a terminal virsh would start it, which fails without the machine's D-Bus, and complain each time of authorization that it does not need.
	[ ! -e /usr/bin/pkttyagent ] || mount --bind /dev/null /usr/bin/pkttyagent || true
}

bring_up_loopback
# nodev: the numbers of AP's devices may be another driver's on this machine, say a watchdog's. Opening one is refused; the nodes below are mounts
# of their own and can be opened.
mount -t tmpfs -o mode=755,nodev adjunct "$work"
mkdir "$work/dev" "$work/run"
fill_dev
fill_run
cover_etc
mount --rbind /sys/devices/system "$sys/devices/system" || problem "/sys/devices/system is empty in the namespace"
mount --rbind "$sys" /sys
mount --rbind "$work/dev" /dev
mount --rbind "$work/run" /run
command -v perl >/dev/null || {
	problem "perl is missing: programs in the host hear of no uevents and have no /dev/z90crypt (package perl-base)"
	echo ready
	exec cat >/dev/null
}
scripts=${0%/*}
cover_libvirt || exec perl "$scripts/keep-devices.pl"
# Its writing end goes with the last program here.
mkfifo "$work/end"
# libvirt moves no guest between daemons on machines of one name, and a guest that moves takes the path of its emulator along.
host=$(basename "${work%/*}")
ln -s "$(dirname "$(command -v qemu-system-s390x)")" "$work/run/adjunct-programs"
PATH=/run/adjunct-programs:$PATH unshare --uts sh -c 'hostname "$0" || true; exec "$@"' "$host" \
	perl "$scripts/seen-as-s390x.pl" perl "$scripts/activate-libvirt.pl" <"$work/end" 2>>/var/log/libvirt/libvirtd.log &
exec perl "$scripts/keep-devices.pl" 3>"$work/end"
