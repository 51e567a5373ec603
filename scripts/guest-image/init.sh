#!/usr/bin/busybox sh
# The first process of a guest image: mounts, modules, the agent, a shell on the console.
/usr/bin/busybox mount -t proc proc /proc
/usr/bin/busybox --install -s
export PATH=/usr/sbin:/usr/bin HOME=/root TERM=vt100 PS1='\h:\w\$ '
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm

# poweroff, halt and reboot tell the first process; so does the kernel when the hypervisor asks for a shutdown.
trap 'poweroff -f' INT USR2
trap 'halt -f' USR1
trap 'reboot -f' TERM
echo 0 >/proc/sys/kernel/ctrl-alt-del

[ "$(hostname)" != "(none)" ] || hostname guest

# What the kernel has built in is no module.
for module in virtio_console virtio_rng zcrypt; do modprobe -q $module; done
# Without AP instructions there is no bus that drivers of cards could register with.
if [ -d /sys/bus/ap ]; then
	modprobe -q zcrypt_cex4
	# Whoever sees the prompt sees every queue that the first scan found.
	tries=0
	until grep -q complete /sys/bus/ap/bindings || [ $((tries += 1)) -gt 50 ]; do sleep 0.1; done
fi

# A shell that waits takes signals at once; one with a program in front of it does when that has ended.
cd /root
while :; do
	sh /usr/sbin/adjunct-agent </dev/null >/dev/null 2>&1
	sleep 1
done &
while :; do
	setsid -c sh -c 'stty cols 80 rows 24; exec sh -l' </dev/console >/dev/console 2>&1
	sleep 1
done &
while :; do wait; done
