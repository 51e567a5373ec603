#!/bin/sh
# Prints what this machine's /sys shows of AP, as a file that `adjunct up` takes. For a mainframe without Node: needs a POSIX shell,
# readlink and uname, and writes nothing. `adjunct record` prints the same, byte for byte.
#
#   sh record-ap.sh [--mask-secrets] [--name NAME] > lpar1.yaml
#
# SYSFS_ROOT in the environment: where /sys is.
set -u
LC_ALL=C
export LC_ALL

sys=${SYSFS_ROOT:-/sys}
bus=$sys/bus/ap
mask_secrets=no
name=
# As YAML has it between double quotes.
newline='\n'

while [ $# -gt 0 ]; do
	case $1 in
	--mask-secrets) mask_secrets=yes ;;
	--name) name=${2:?--name needs a name} && shift ;;
	*) echo "usage: record-ap.sh [--mask-secrets] [--name NAME]" >&2 && exit 2 ;;
	esac
	shift
done

[ -d "$bus/devices" ] || {
	echo "record-ap.sh: $bus is missing: this Linux has no AP bus" >&2
	exit 1
}

# Functions answer in variables named as they are: a $(…) for each of ten thousand attributes would take minutes.

# line FILE: its first line, and whether it could be read.
line() {
	line=
	[ -r "$1" ] || return 1
	IFS= read -r line 2>/dev/null <"$1" || [ -n "$line" ] || [ -e "$1" ]
}

# text FILE: all of it, as it stands between the double quotes of YAML.
text() {
	text=
	[ -r "$1" ] || return 1
	{
		while IFS= read -r part; do
			escape "$part"
			text="$text$escaped$newline"
		done <"$1"
	} 2>/dev/null || return 1
	escape "$part"
	text="$text$escaped"
}

# escape TEXT: a backslash before backslashes and double quotes.
escape() {
	escaped=$1
	case $1 in *[\\\"]*) ;; *) return 0 ;; esac
	escaped= escape_rest=$1
	while [ -n "$escape_rest" ]; do
		escape_character=${escape_rest%"${escape_rest#?}"}
		escape_rest=${escape_rest#?}
		case $escape_character in \\ | \") escaped="$escaped\\" ;; esac
		escaped="$escaped$escape_character"
	done
}

# bits MASK: the numbers of its bits as `4, 71`; and with a blank around each in bits_set.
bits() {
	bits= bits_set=' ' bits_rest=${1#0x} bits_at=0
	while [ -n "$bits_rest" ]; do
		bits_digit=${bits_rest%"${bits_rest#?}"}
		bits_rest=${bits_rest#?}
		case $bits_digit in
		0) bits_of= ;;
		1) bits_of='3' ;;
		2) bits_of='2' ;;
		3) bits_of='2 3' ;;
		4) bits_of='1' ;;
		5) bits_of='1 3' ;;
		6) bits_of='1 2' ;;
		7) bits_of='1 2 3' ;;
		8) bits_of='0' ;;
		9) bits_of='0 3' ;;
		a | A) bits_of='0 2' ;;
		b | B) bits_of='0 2 3' ;;
		c | C) bits_of='0 1' ;;
		d | D) bits_of='0 1 3' ;;
		e | E) bits_of='0 1 2' ;;
		f | F) bits_of='0 1 2 3' ;;
		*) bits_of= ;;
		esac
		for bits_bit in $bits_of; do
			bits_bit=$((bits_at + bits_bit))
			bits="$bits${bits:+, }$bits_bit"
			bits_set="$bits_set$bits_bit "
		done
		bits_at=$((bits_at + 4))
	done
}

# contains SET WORD: a set has a blank around each word.
contains() {
	case $1 in *" $2 "*) return 0 ;; *) return 1 ;; esac
}

# Distributions port features back, so what is there counts, not the release.
find_kernel() {
	line "$sys/devices/vfio_ap/matrix/features"
	if contains " $line " migratable; then
		kernel=7.2-migration
	elif [ -e "$bus/bindings_complete_count" ]; then
		kernel=7.2
	elif [ -e "$bus/features" ]; then
		kernel=6.12
	elif [ ! -e "$bus/bindings" ]; then
		kernel=4.20
	else
		kernel=6.1
		for queue in "$bus"/drivers/vfio_ap/[0-9a-f][0-9a-f].*; do
			[ -d "$queue" ] && [ ! -e "$queue/status" ] && kernel=6.0
			break
		done
	fi
}

# Parameters of the AP bus that are not what they are without a command line.
find_cmdline() {
	cmdline=
	for parameter in domain:-1 poll_thread:0 'apmask:(null)' 'aqmask:(null)' useirq:1; do
		line "$sys/module/ap/parameters/${parameter%%:*}" || continue
		[ -z "$line" ] || [ "$line" = "${parameter#*:}" ] || cmdline="$cmdline${cmdline:+ }ap.${parameter%%:*}=$line"
	done
}

find_facilities() {
	line "$bus/ap_usage_domain_mask" || line=
	usage_mask=$line
	case $usage_mask in 0x*) has_qci=yes ;; *) has_qci=no ;; esac
	line "$bus/ap_max_domain_id" || line=
	max_domain=$line
	line "$bus/ap_interrupts" || line=
	interrupts=$line
	if line "$bus/features"; then
		features=" $line "
	else
		features=' '
		[ "${max_domain:-0}" -gt 15 ] && features=' APXA '
	fi
	facilities=ap
	[ $has_qci = yes ] && facilities="$facilities, qci"
	facilities="$facilities, apft"
	[ "$interrupts" = 1 ] && facilities="$facilities, apqi"
	contains "$features" APXA && facilities="$facilities, apxa"
	contains "$features" QACT && facilities="$facilities, qact"
	contains "$features" RC8A && facilities="$facilities, rc8a"
	contains "$features" APSB && facilities="$facilities, apsb"
}

# Cards, and the adapters of the LPAR that this kernel has no device for: older than CEX4.
print_adapters() {
	bits=
	line "$bus/ap_adapter_mask" && bits "$line"
	all=$bits
	for card in "$sys"/devices/ap/card[0-9a-f][0-9a-f]; do
		[ -d "$card" ] || continue
		id=$((0x${card##*card}))
		contains " $(echo "$all" | tr ',' ' ') " "$id" || all="$all${all:+, }$id"
	done
	[ -n "$all" ] || return 0
	echo '  adapters:'
	for id in $(echo "$all" | tr -d ',' | tr ' ' '\n' | sort -n); do print_adapter "$id"; done
}

print_adapter() {
	card=$sys/devices/ap/card$(printf '%02x' "$1")
	if [ ! -d "$card" ]; then
		echo "    $1: { type: CEX3C, configured: true, checkstop: false }"
		return
	fi
	words=
	line "$card/hwtype" || line=14
	hwtype=${line:-14}
	functions=
	line "$card/ap_functions" && functions=$line
	find_type
	line "$card/raw_hwtype" || line=$hwtype
	[ "$line" = "$hwtype" ] || words="$words, raw-type: $line"
	[ -z "$functions" ] || words="$words, functions: $functions"
	if line "$card/depth"; then
		# Until 6.1 this is the TAPQ field, one less.
		case $kernel in 4.20 | 6.0 | 6.1) line=$((line + 1)) ;; esac
		words="$words, depth: $line"
	fi
	if line "$card/max_msg_size"; then
		[ "$line" = 12288 ] && line=0
		words="$words, message-limit: $((line / 4096))"
	fi
	configured=true checkstop=false
	line "$card/config" && [ "$line" = 0 ] && configured=false
	line "$card/chkstop" && [ "$line" = 1 ] && checkstop=true
	echo "    $1: { type: $type$words, configured: $configured, checkstop: $checkstop }"
}

find_type() {
	case $hwtype in
	6) type=CEX2A && return ;;
	7) type=CEX2C && return ;;
	8) type=CEX3A && return ;;
	9) type=CEX3C && return ;;
	esac
	generation=$((hwtype - 6))
	[ $generation -ge 4 ] || generation=4
	[ $generation -le 8 ] || generation=8
	type=CEX${generation}C
	mode=$((${functions:-0x10000000}))
	if [ $((mode & 0x08000000)) -ne 0 ]; then
		type=CEX${generation}A
	elif [ $((mode & 0x10000000)) -ne 0 ]; then
		type=CEX${generation}C
	elif [ $((mode & 0x04000000)) -ne 0 ]; then
		type=CEX${generation}P
	fi
}

find_domains() {
	usage= control=
	if [ $has_qci = yes ]; then
		bits "$usage_mask"
		usage=$bits
		line "$bus/ap_control_domain_mask" && bits "$line" && control=$bits
		return
	fi
	usage=$(for queue in "$bus"/devices/*.*; do [ -e "$queue" ] && echo $((0x${queue##*.})); done | sort -nu | join_lines)
}

attributes_begun=no
# attribute PATH TEXT…: PATH below $sys, each TEXT escaped.
attribute() {
	[ $attributes_begun = yes ] || echo 'attributes:'
	attributes_begun=yes
	path=$1
	shift
	if [ $# -eq 1 ]; then
		printf '%s\n' "  \"/sys/$path\": \"$1\""
		return
	fi
	list=
	for value in "$@"; do list="$list${list:+, }\"$value\""; done
	printf '%s\n' "  \"/sys/$path\": [$list]"
}

# copy PATH: as it was read.
copy() {
	text "$sys/$1" && attribute "$1" "$text"
}

print_attributes() {
	copy bus/ap/config_time
	copy bus/ap/poll_timeout
	line "$bus/poll_thread" && [ "$line" = 1 ] && copy bus/ap/poll_thread
	line "$bus/apmask" || line=
	bits "$line"
	default_adapters=$bits_set
	line "$bus/aqmask" || line=
	bits "$line"
	default_domains=$bits_set
	# A default domain that was taken from the host's drivers since cannot be set, only be found at the start.
	line "$bus/ap_domain" && contains "$default_domains" "$line" && copy bus/ap/ap_domain
	unbound_cex4queue= unbound_vfio_ap= bound_cex4queue= bound_vfio_ap=
	for card in "$sys"/devices/ap/card*; do
		[ -d "$card" ] && print_card_attributes "devices/ap/${card##*/}"
	done
	# Each list is empty or queue names with blanks: they are split on purpose.
	# shellcheck disable=SC2086
	{
		bindings cex4queue/unbind $unbound_cex4queue
		bindings vfio_ap/unbind $unbound_vfio_ap
		bindings cex4queue/bind $bound_cex4queue
		bindings vfio_ap/bind $bound_vfio_ap
	}
}

bindings() {
	file=$1
	shift
	[ $# -gt 0 ] || return 0
	for queue in "$@"; do
		set -- "$@" "$queue$newline"
		shift
	done
	attribute "bus/ap/drivers/$file" "$@"
}

print_card_attributes() {
	card_path=$1
	card_id=${1#devices/ap/card}
	if text "$sys/$1/serialnr"; then
		serial_text
		attribute "$1/serialnr" "$text"
	fi
	copy "$1/API_ordinalnr"
	copy "$1/FW_version"
	copy "$1/op_modes"
	usable=yes online=yes
	line "$sys/$1/config" && [ "$line" = 0 ] && usable=no
	line "$sys/$1/chkstop" && [ "$line" = 1 ] && usable=no
	line "$sys/$1/online" && [ "$line" = 0 ] && online=no
	[ $usable$online = yesno ] && attribute "$1/online" "0$newline"
	for queue in "$sys/$1"/[0-9a-f][0-9a-f].[0-9a-f][0-9a-f][0-9a-f][0-9a-f]; do
		[ -d "$queue" ] && print_queue_attributes "$card_path/${queue##*/}"
	done
	return 0
}

print_queue_attributes() {
	if text "$sys/$1/mkvps"; then
		pattern_text
		attribute "$1/mkvps" "$text"
	fi
	copy "$1/op_modes"
	[ $usable$online = yesyes ] && line "$sys/$1/online" && [ "$line" = 0 ] && attribute "$1/online" "0$newline"
	line "$sys/$1/driver_override" && [ -n "$line" ] && escape "$line" && attribute "$1/driver_override" "$escaped$newline"
	find_binding "${1##*/}" "$sys/$1"
}

# A queue whose driver is not the one that the masks give it.
find_binding() {
	driver=
	[ -e "$2/driver" ] && driver=$(readlink "$2/driver") && driver=${driver##*/}
	usual=vfio_ap
	contains "$default_adapters" $((0x${1%.*})) && contains "$default_domains" $((0x${1#*.})) && usual=cex4queue
	[ "$driver" = $usual ] && return
	case $driver in '' | cex4queue | vfio_ap) ;; *) return ;; esac
	if [ -d "$bus/drivers/$usual" ]; then
		case $usual in cex4queue) unbound_cex4queue="$unbound_cex4queue $1" ;; *) unbound_vfio_ap="$unbound_vfio_ap $1" ;; esac
	fi
	case $driver in
	cex4queue) bound_cex4queue="$bound_cex4queue $1" ;;
	vfio_ap) bound_vfio_ap="$bound_vfio_ap $1" ;;
	esac
}

# With --mask-secrets: MASKED and the card, as long as the serial number was.
serial_text() {
	[ $mask_secrets = yes ] || return 0
	serial=${text%"$newline"}
	case $serial in *[!\ ]*) ;; *) return 0 ;; esac
	masked=MASKED$card_id
	while [ ${#masked} -lt ${#serial} ]; do masked=${masked}0; done
	while [ ${#masked} -gt ${#serial} ]; do masked=${masked%?}; done
	text=$masked$newline
}

# With --mask-secrets: every pattern becomes its number among those seen, so that equal ones stay equal; zeros stay.
patterns=
pattern_text() {
	[ $mask_secrets = yes ] || return 0
	rest=$text
	text=
	while :; do
		case $rest in *0x*) ;; *) break ;; esac
		text=${text}${rest%%0x*}0x
		rest=${rest#*0x}
		digits=${rest%%[!0-9a-f]*}
		rest=${rest#"$digits"}
		pattern_number
		text=$text$pattern
	done
	text=$text$rest
}

pattern_number() {
	case $digits in
	'' | *[!0]*) ;;
	*) pattern=$digits && return ;;
	esac
	if [ -z "$digits" ]; then
		pattern=
		return
	fi
	contains " $patterns " "$digits" || patterns="$patterns${patterns:+ }$digits"
	count=0
	for known in $patterns; do
		count=$((count + 1))
		[ "$known" = "$digits" ] && break
	done
	pattern=$(printf '%x' $count)
	while [ ${#pattern} -lt ${#digits} ]; do pattern=0$pattern; done
}

# The mediated devices in the order in which they were made: that of their IOMMU groups.
find_mdevs() {
	mdevs=$(
		for mdev in "$sys"/devices/vfio_ap/matrix/[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]-*; do
			[ -d "$mdev" ] || continue
			group=$(readlink "$mdev/iommu_group" || echo 0)
			echo "${group##*/} ${mdev##*/}"
		done | sort -k1,1n -k2,2 | while read -r group uuid; do echo "$uuid"; done
	)
}

print_mdevs() {
	[ -n "$mdevs" ] || return 0
	echo 'mdevs:'
	for uuid in $mdevs; do
		find_matrix "$sys/devices/vfio_ap/matrix/$uuid"
		echo "  $uuid: { adapters: [$adapters], domains: [$domains], control-domains: [$controls] }"
	done
}

find_matrix() {
	if line "$1/ap_config"; then
		bits "${line%%,*}"
		adapters=$bits
		line=${line#*,}
		bits "${line%%,*}"
		domains=$bits
		bits "${line#*,}"
		controls=$bits
		return
	fi
	adapters=$(numbers "$1/matrix" 's/\..*//')
	domains=$(numbers "$1/matrix" 's/.*\.//')
	controls=$(numbers "$1/control_domains" '')
}

# numbers FILE EDIT: the hexadecimal numbers that a sed EDIT leaves of its lines, ascending, each once.
numbers() {
	sed "$2" "$1" 2>/dev/null | while read -r number; do
		[ -z "$number" ] || echo $((0x$number))
	done | sort -nu | join_lines
}

join_lines() {
	joined=
	while read -r number; do joined="$joined${joined:+, }$number"; done
	echo "$joined"
}

# A queue of its guest says that a mediated device is in use; a guest without queues cannot be seen from outside.
print_guests() {
	begun=no count=0
	for uuid in $mdevs; do
		count=$((count + 1))
		line "$sys/devices/vfio_ap/matrix/$uuid/guest_matrix" || continue
		case $line in [0-9a-f][0-9a-f].[0-9a-f][0-9a-f][0-9a-f][0-9a-f]) ;; *) continue ;; esac
		line "$sys/devices/ap/card${line%.*}/$line/status" && [ "$line" = 'in use' ] || continue
		[ $begun = yes ] || echo 'guests:'
		begun=yes
		echo "  guest$count: { mdev: $uuid }"
	done
}

# A first line that is there and no more than that.
print_mask() {
	line "$bus/$1" || return 0
	echo "$1: \"$line\""
}

find_kernel
find_cmdline
find_facilities
find_domains
find_mdevs
[ -n "$name" ] || name=$(uname -n)
name=$(printf '%s' "$name" | tr -c 'a-zA-Z0-9_.-' - | cut -c1-32)
modules=
[ -d "$sys/bus/matrix" ] && modules=vfio_ap

echo "# What /sys of a Linux $(uname -r) showed of AP."
echo "name: \"$name\""
echo "kernel: \"$kernel\""
escape "$cmdline" && printf '%s\n' "cmdline: \"$escaped\""
echo "modules: [$modules]"
echo 'machine:'
echo "  facilities: [$facilities]"
line "$bus/ap_max_adapter_id" && echo "  max-adapter: $line"
[ -n "$max_domain" ] && echo "  max-domain: $max_domain"
print_adapters
echo "  usage-domains: [$usage]"
echo "  control-domains: [$control]"
print_mask apmask
print_mask aqmask
print_attributes
print_mdevs
print_guests
exit 0
