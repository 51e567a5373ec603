#!/bin/sh
# Starts a real program for s390x under an emulator, with the libraries it was built for.
#
#   s390x-program.sh TOOLS PROGRAM ARGUMENT…
#
#   TOOLS   the folder that `adjunct tools install` fills
# ADJUNCT_TOOLS_SUITE names a suite other than the current one.
root=$1/${ADJUNCT_TOOLS_SUITE:-current} program=$2
shift 2
if [ ! -x "$root/qemu-s390x" ] || [ ! -x "$root/usr/sbin/$program" ]; then
	echo "$program: not installed: adjunct tools install${ADJUNCT_TOOLS_SUITE:+ --suite $ADJUNCT_TOOLS_SUITE}" >&2
	exit 127
fi
# -0: usage texts name the program as it was typed.
exec "$root/qemu-s390x" -0 "$program" -L "$root" "$root/usr/sbin/$program" "$@"
