# Listens on libvirt's sockets and starts its daemon for the first client, as systemd's libvirtd.socket does. A daemon that ended is started
# again for the next client. Ends when its input ends, and with it the daemon.
#
#   perl activate-libvirt.pl < PIPE
#
# Only perl's core. Source of the protocol: sd_listen_fds(3).
use strict;
use warnings;
use POSIX ();
use Socket;

my $first_descriptor = 3;
my $folder           = '/run/libvirt';
my $log              = '/var/log/libvirt/libvirtd.log';
my @sockets          = (
    { path => 'libvirt-sock',       name => 'libvirtd.socket' },
    { path => 'libvirt-sock-ro',    name => 'libvirtd-ro.socket' },
    { path => 'libvirt-admin-sock', name => 'libvirtd-admin.socket' },
);
# Enough for a daemon that writes its state, short enough for somebody who waits for the host to end.
my $end_seconds = 5;

mkdir $folder;
$_->{handle} = listen_on("$folder/$_->{path}") for @sockets;

my $daemon;
for (;;) {
    my $waiting = '';
    vec($waiting, fileno(STDIN), 1) = 1;
    unless ($daemon) { vec($waiting, fileno($_->{handle}), 1) = 1 for @sockets }
    # Now and then, to hear of a daemon that ended.
    my $found = select($waiting, undef, undef, $daemon ? 0.25 : undef);
    undef $daemon if $daemon and has_ended();
    next if $found <= 0;
    last if vec($waiting, fileno(STDIN), 1) and !sysread STDIN, my $ignored, 4096;
    $daemon //= start() if grep { vec($waiting, fileno($_->{handle}), 1) } @sockets;
}
end() if $daemon;

sub listen_on {
    my ($path) = @_;
    socket(my $handle, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
    bind($handle, pack_sockaddr_un($path)) or die "$path: $!\n";
    chmod 0777, $path;
    listen($handle, SOMAXCONN) or die "$path: $!\n";
    return $handle;
}

sub start {
    my $pid = fork // return;
    return $pid if $pid;
    open STDIN,  '<',  '/dev/null';
    open STDOUT, '>>', $log;
    open STDERR, '>&', \*STDOUT;
    # Above all others first: one may have the number of another.
    my @copies = map { POSIX::dup2(fileno($_->{handle}), 100 + $first_descriptor + $_->{index}) } indexed(@sockets);
    POSIX::dup2($copies[$_], $first_descriptor + $_) for 0 .. $#copies;
    POSIX::close($_) for @copies;
    $ENV{LISTEN_PID}     = $$;
    $ENV{LISTEN_FDS}     = @sockets;
    $ENV{LISTEN_FDNAMES} = join ':', map { $_->{name} } @sockets;
    exec 'libvirtd' or POSIX::_exit(127);
}

sub indexed { my $index = 0; return map { { %$_, index => $index++ } } @_ }

sub has_ended {
    return 0 unless waitpid($daemon, POSIX::WNOHANG()) == $daemon;
    refuse_waiting() if $?;
    return 1;
}

# Who waits for a daemon that does not start would wait for ever.
sub refuse_waiting {
    for my $socket (@sockets) {
        for (;;) {
            my $ready = '';
            vec($ready, fileno($socket->{handle}), 1) = 1;
            last unless select($ready, undef, undef, 0) > 0;
            accept(my $client, $socket->{handle}) or last;
            close $client;
        }
    }
}

sub end {
    kill 'TERM', $daemon;
    for (1 .. $end_seconds * 50) {
        return if waitpid($daemon, POSIX::WNOHANG()) == $daemon;
        select undef, undef, undef, 0.02;
    }
    kill 'KILL', $daemon;
    waitpid $daemon, 0;
}
