# Keeps the programs of one Linux informed of its devices, until its input ends: nodes in /dev, as devtmpfs has them, and uevents in the network
# namespace it runs in. Prints `ready` when /dev has the devices that are there already, then answers every line with `done`.
#
#   add NAME MAJOR MINOR MODE   a character device, its name in hexadecimal
#   remove NAME
#   clear                       all nodes go: another Linux boots
#   tell UDEV KERNEL            two frames in hexadecimal, for udev's multicast group and for the kernel, which passes its one on to its own group
#
# Only perl's core: it has raw netlink sockets and is on every Debian.
use strict;
use warnings;

my ($af_netlink, $sock_raw, $kobject_uevent, $udev_group) = (16, 3, 15, 2);
my %nodes;

$| = 1;
socket(my $socket, $af_netlink, $sock_raw, $kobject_uevent) or exit 1;
add_node(@$_) for existing_nodes();
print "ready\n";
while (my $line = <STDIN>) {
    my ($action, $first, @rest) = split ' ', $line;
    if    ($action eq 'add')    { add_node(pack('H*', $first), @rest) }
    elsif ($action eq 'remove') { remove_node(pack('H*', $first)) }
    elsif ($action eq 'clear')  { remove_node($_) for keys %nodes }
    elsif ($action eq 'tell')   { announce(pack('H*', $first), pack('H*', $rest[0])) }
    print "done\n";
}

sub announce {
    my ($udev, $kernel) = @_;
    # Nobody listening is an error of send, and none of ours.
    send($socket, $udev, 0, pack('SSLL', $af_netlink, 0, 0, $udev_group));
    send($socket, $kernel, 0, pack('SSLL', $af_netlink, 0, 0, 0));
}

# What came before anybody could be told.
sub existing_nodes {
    my @found;
    for my $file (glob '/sys/class/misc/*/uevent /sys/class/zcrypt/*/uevent') {
        open(my $handle, '<', $file) or next;
        my %key = map { chomp; split /=/, $_, 2 } <$handle>;
        push @found, [@key{qw(DEVNAME MAJOR MINOR)}, $key{DEVNAME} eq 'z90crypt' ? '666' : '600'] if defined $key{DEVNAME};
    }
    return @found;
}

sub add_node {
    my ($name, $major, $minor, $mode) = @_;
    # As in devtmpfs, no name leads out of /dev or takes another's place.
    return if $name eq '' or grep { $_ eq '' or $_ eq '.' or $_ eq '..' } split m{/}, $name, -1;
    my $path = "/dev/$name";
    return if -e $path or -l $path;
    my $folder = '/dev';
    my @folders = split m{/}, $name;
    pop @folders;
    for (@folders) { $folder .= "/$_"; return if -l $folder; mkdir $folder }
    return unless make_node($path, $major, $minor, $mode);
    $nodes{$name} = 1;
}

# In a user namespace nobody may make devices. There the machine's /dev/null stands in, with its own number: what matters is that it is one.
sub make_node {
    my ($path, $major, $minor, $mode) = @_;
    return 1 if quietly('mknod', '-m', $mode, $path, 'c', $major, $minor);
    open(my $handle, '>', $path) or return 0;
    return 1 if quietly('mount', '--bind', '/dev/null', $path);
    unlink $path;
    return 0;
}

sub remove_node {
    my ($name) = @_;
    return unless delete $nodes{$name};
    my $path = "/dev/$name";
    unlink $path or quietly('umount', '--lazy', $path) && unlink $path;
    while ($path =~ s{/[^/]+$}{} and $path ne '/dev') { rmdir $path or last }
}

sub quietly {
    my $pid = fork // return 0;
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec @_ or exit 127;
    }
    waitpid $pid, 0;
    return $? == 0;
}
