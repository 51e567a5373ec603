# Sends uevents into the network namespace it runs in, until its input ends. One line in is one event: two frames in hexadecimal, for udev's
# multicast group and for the kernel, which passes its one on to its own group. One line out when both are sent.
# Only perl's core: it has raw netlink sockets and is on every Debian.
use strict;
use warnings;

my ($af_netlink, $sock_raw, $kobject_uevent, $udev_group) = (16, 3, 15, 2);
$| = 1;
socket(my $socket, $af_netlink, $sock_raw, $kobject_uevent) or exit 1;
while (my $line = <STDIN>) {
    my ($udev, $kernel) = split ' ', $line;
    # Nobody listening is an error of send, and none of ours.
    send($socket, pack('H*', $udev), 0, pack('SSLL', $af_netlink, 0, 0, $udev_group));
    send($socket, pack('H*', $kernel), 0, pack('SSLL', $af_netlink, 0, 0, 0));
    print "sent\n";
}
