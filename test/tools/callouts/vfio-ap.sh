#!/bin/sh
# A callout of mdevctl for vfio_ap's devices, of version 2 of its protocol: refuses a start without a domain, tells what a device has, and changes a
# running device by its ap_config. Says no more than the kernel does about everything else.
event='' action='' type='' uuid=''
while [ $# -gt 1 ]; do
	case $1 in
	-t) type=$2 ;;
	-e) event=$2 ;;
	-a) action=$2 ;;
	-u) uuid=$2 ;;
	esac
	shift 2
done
[ "$type" = vfio_ap-passthrough ] || exit 2
input=$(cat)
configuration=/sys/devices/vfio_ap/matrix/$uuid/ap_config

case $event-$action in
get-capabilities)
	actions='"start","stop","define","undefine","modify","attributes","capabilities"'
	printf '{"supports":{"version":2,"actions":[%s],"events":["pre","post","get","live"]}}\n' "$actions"
	;;
get-attributes)
	[ ! -e "$configuration" ] || printf '[{"ap_config":"%s"}]\n' "$(cat "$configuration")"
	;;
pre-start)
	case $input in
	*assign_domain* | *ap_config*) ;;
	*)
		echo "$uuid has no usage domain" >&2
		exit 1
		;;
	esac
	;;
live-modify)
	# A program of its own writes, because only that says which error the kernel gave.
	printf '%s' "$input" | tr -d ' \n' | sed 's/.*"ap_config":"\([^"]*\)".*/\1\n/' | cat >"$configuration"
	;;
esac
