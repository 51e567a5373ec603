# Runs a program that takes this machine for an s390x: uname(2) tells it and its children so, and nothing else changes. libvirt asks uname whose
# KVM it has, and gives a domain the host's processor, the usual one of a domain for s390x, only where that is s390x.
#
# Where the limit of locked memory cannot be raised, setting it does nothing and succeeds: libvirt raises that of every guest with a mediated
# device, so that VFIO can lock its memory, and nothing is locked here.
#
# In a user namespace of one user, setting supplementary groups does nothing and succeeds, too: libvirt does it for every program that it starts.
#
# Buries the program's orphans: libvirt waits for the end of a guest that is nobody's child, and the first process of a container may bury nobody.
#
#   perl seen-as-s390x.pl PROGRAM [ARGUMENT]...
#
# Ends as the program does, and passes on the signals that ask it to end. Only perl's core. Sources: seccomp(2), seccomp_unotify(2), prctl(2),
# linux/seccomp.h, linux/filter.h.
use strict;
use warnings;
use POSIX ();

# Of the processors that this is for: AUDIT_ARCH and numbers of system calls.
my %calls_of = (
    x86_64  => { arch => 0xC000003E, uname => 63,  prctl => 157, prlimit64 => 302, seccomp => 317, setgroups => 116 },
    aarch64 => { arch => 0xC00000B7, uname => 160, prctl => 167, prlimit64 => 261, seccomp => 277, setgroups => 159 },
    s390x   => { arch => 0x80000016, uname => 122, prctl => 172, prlimit64 => 334, seccomp => 348, setgroups => 206 },
);
my $machine = 's390x';
# struct new_utsname: six texts of 65 bytes, the fifth is the machine's.
my @utsname_files = qw(ostype hostname osrelease version - domainname);
my $utsname       = 'a65' x 6;
my $rlimit_memlock = 8;
# linux/seccomp.h
my %notify = (
    receive       => 0xC0502100,          # SECCOMP_IOCTL_NOTIF_RECV
    send          => 0xC0182101,          # SECCOMP_IOCTL_NOTIF_SEND
    is_valid      => 0x40082102,          # SECCOMP_IOCTL_NOTIF_ID_VALID
    request       => 'Q L L l L Q Q6',    # id, pid, flags; nr, arch, instruction pointer, arguments
    request_bytes => 80,
    response      => 'Q q l L',           # id, value, error, flags
    continue      => 1,                   # SECCOMP_USER_NOTIF_FLAG_CONTINUE
);

my $own      = (POSIX::uname())[4];
my $calls    = $calls_of{$own};
my $listener = $calls && install_filter($calls);
syscall $calls->{prctl}, 36, 1, 0, 0, 0 if $calls;    # PR_SET_CHILD_SUBREAPER
warn "seen-as-s390x.pl: programs see $own: ", ($calls ? $! : 'its system calls are not known here'), "\n" unless $listener;

# Interrupts the wait below.
$SIG{CHLD} = sub { };
my $program = fork // die "fork: $!\n";
unless ($program) {
    # Nobody would answer it without us.
    exec 'setpriv', '--pdeathsig', 'KILL', '--', @ARGV or POSIX::_exit(127);
}
for my $name (qw(TERM INT HUP QUIT)) {
    $SIG{$name} = sub { kill $name, $program };
}
until (has_ended($program)) {
    my $waiting = '';
    vec($waiting, fileno $listener, 1) = 1 if $listener;
    # An end between the look and this is noticed a moment later.
    my $found = select $waiting, undef, undef, 0.25;
    answer($listener) if $found > 0;
}
exit($? & 127 ? 128 + ($? & 127) : $? >> 8);

# Its status is in $? then.
sub has_ended {
    my ($program) = @_;
    for (;;) {
        my $ended = waitpid -1, POSIX::WNOHANG();
        return $ended == $program if $ended <= 0 or $ended == $program;
    }
}

# The listener of a filter on this process and those it starts; undefined, with the reason in $!, where it is refused.
sub install_filter {
    my ($calls) = @_;
    my ($load, $equal, $any, $return) = (0x20, 0x15, 0x45, 0x06);    # LD|W|ABS, JMP|JEQ|K, JMP|JSET|K, RET|K
    my ($allow, $ask, $succeed) = (0x7FFF0000, 0x7FC00000, 0x00050000);    # SECCOMP_RET_ALLOW, USER_NOTIF, ERRNO with 0
    # Offsets in struct seccomp_data, of the lower and the upper half of an argument on a machine of this byte order.
    my $is_big = unpack('L', "\0\0\0\1") == 1 ? 1 : 0;
    my $half   = sub { my ($argument, $upper) = @_; 16 + 8 * $argument + ($upper == $is_big ? 0 : 4) };
    my @limit  = can_raise_limit($calls) ? () : (
        [$equal, 0, 7, $calls->{prlimit64}],
        [$load, 0, 0, $half->(1, 0)],
        [$equal, 0, 5, $rlimit_memlock],
        [$load, 0, 0, $half->(2, 0)],
        [$any, 2, 0, 0xFFFFFFFF],
        [$load, 0, 0, $half->(2, 1)],
        [$any, 0, 1, 0xFFFFFFFF],
        [$return, 0, 0, $succeed],
    );
    my @groups = may_set_groups() ? () : ([$equal, 0, 1, $calls->{setgroups}], [$return, 0, 0, $succeed]);
    my @filter = (
        [$load, 0, 0, 4],
        [$equal, 0, 3 + @groups + @limit, $calls->{arch}],
        [$load, 0, 0, 0],
        [$equal, 0, 1, $calls->{uname}],
        [$return, 0, 0, $ask],
        @groups,
        @limit,
        [$return, 0, 0, $allow],
    );
    my $code  = join '', map { pack 'S C C L', @$_ } @filter;
    my $block = pack 'S x6 P', scalar @filter, $code;
    syscall($calls->{prctl}, 38, 1, 0, 0, 0) == 0 or return;    # PR_SET_NO_NEW_PRIVS
    # SECCOMP_SET_MODE_FILTER with SECCOMP_FILTER_FLAG_NEW_LISTENER
    my $descriptor = syscall $calls->{seccomp}, 1, 8, $block;
    return if $descriptor < 0;
    open my $handle, '+<&=', $descriptor or return;
    return $handle;
}

# Raises this process's own as far as it goes, which its children then have.
sub can_raise_limit {
    my ($calls) = @_;
    my $unlimited = pack 'Q2', ~0, ~0;
    return syscall($calls->{prlimit64}, 0, $rlimit_memlock, $unlimited, 0) == 0;
}

# user_namespaces(7)
sub may_set_groups {
    open my $file, '<', '/proc/self/setgroups' or return 1;
    return <$file> !~ /^deny/;
}

sub answer {
    my ($listener) = @_;
    my $request = "\0" x $notify{request_bytes};
    ioctl $listener, $notify{receive}, $request or return;
    my ($id, $thread, undef, undef, undef, undef, $address) = unpack $notify{request}, $request;
    my $flags = tell_machine($listener, $id, $thread, $address) ? 0 : $notify{continue};
    ioctl $listener, $notify{send}, my $response = pack($notify{response}, $id, 0, 0, $flags);
}

sub tell_machine {
    my ($listener, $id, $thread, $address) = @_;
    open my $memory, '+<:raw', "/proc/$thread/mem" or return 0;
    # The thread may have ended and its number be another's: what is open is its memory only if it still waits.
    ioctl $listener, $notify{is_valid}, my $waiting = pack('Q', $id) or return 0;
    my $text = pack $utsname, map { $_ eq '-' ? $machine : kernel_text($_) } @utsname_files;
    return sysseek($memory, $address, 0) && syswrite($memory, $text) == length $text;
}

sub kernel_text {
    my ($name) = @_;
    open my $file, '<', "/proc/sys/kernel/$name" or return '';
    chomp(my $text = <$file> // '');
    return $text;
}
