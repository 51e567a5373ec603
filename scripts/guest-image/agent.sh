#!/bin/sh
# Runs commands for the host, over the virtio-serial port of this name. What goes over it is in src/guest/real/agent-protocol.ts.
port_name=org.adjunct.agent.0
version=1
# A line of output is one write of at most 32 KiB, which the port's driver takes in one piece: so several processes may send lines.
output_bytes=24000
jobs=/run/adjunct-agent

find_port() {
	for name in /sys/class/virtio-ports/*/name; do
		[ -e "$name" ] && read -r found <"$name" && [ "$found" = $port_name ] && folder=${name%/name} && port=/dev/${folder##*/} && return
	done
	return 1
}

# COUNT bytes of the port to stdout; fails when the host went away before.
take() {
	dd bs="$1" count=1 iflag=fullblock 2>$jobs/taken <&4
	read -r blocks rest <$jobs/taken
	[ "$blocks" = 1+0 ]
}

# VERB ID: stdin to the host, as soon as there is some.
send_output() {
	while text=$(dd bs=$output_bytes count=1 2>/dev/null | base64 -w 0) && [ -n "$text" ]; do
		echo "$1 $2 $text" >&4
	done
}

# ID: what the host sends for the command, to stdout. Its pieces are files, whose names come over a named pipe: the one that takes the host's
# lines must never wait for a program that does not read.
give_input() {
	while read -r piece <&5 && [ "$piece" != end ]; do
		cat $jobs/"$1"/"$piece" || return
		rm $jobs/"$1"/"$piece"
		echo "taken $1" >&4
	done
}

# ID: in a session of its own, so that a signal reaches all of it. The shell that waits says itself what killed it, so its stderr stays another.
run_script() {
	(exec setsid sh $jobs/"$1"/script 2>&3 3>&- 4>&- 5>&-)
	echo $? >$jobs/"$1"/status
	echo end >&5
}

run_with_outputs() {
	{ run_script "$1" | send_output output "$1" 3>&- 5>&-; } 3>&1 | send_output error "$1" 5>&-
}

run() {
	if [ -e $jobs/"$1"/input ]; then
		give_input "$1" | run_with_outputs "$1"
	else
		run_with_outputs "$1"
	fi
	read -r status <$jobs/"$1"/status
	rm -r $jobs/"$1"
	echo "end $1 $status" >&4
}

# ID NAME. The script looks for a signal that came before it was ready for it.
send_signal() {
	[ -d $jobs/"$1" ] || return
	echo "$2" >$jobs/"$1"/signal
	[ -e $jobs/"$1"/group ] && read -r group <$jobs/"$1"/group && kill -s "$2" -- -"$group"
}

stop_all() {
	for job in $jobs/*/; do
		[ -e "$job" ] && job=${job%/} && send_signal "${job##*/}" KILL
	done
}

tries=0
until find_port; do
	[ $((tries += 1)) -le 50 ] || exit 1
	sleep 0.1
done
mkdir -p $jobs
exec 4<>"$port"
piece=0
while :; do
	if ! read -r verb id first second <&4; then
		# No host.
		stop_all
		sleep 0.5
		continue
	fi
	case $verb in
	hello)
		stop_all
		echo "hello $id $version" >&4
		;;
	run)
		mkdir $jobs/"$id"
		if [ "$first" = input ]; then
			mkfifo $jobs/"$id"/input
			# Open from here on: what is in a pipe that nobody has open is gone.
			exec 5<>$jobs/"$id"/input
		else
			exec 5>/dev/null
		fi
		cat >$jobs/"$id"/script <<-END
			echo \$\$ >$jobs/$id/group
			[ ! -e $jobs/$id/signal ] || kill -s "\$(cat $jobs/$id/signal)" \$\$
		END
		if take "$second" >>$jobs/"$id"/script; then run "$id" </dev/null & else rm -r $jobs/"$id"; fi
		exec 5>&-
		;;
	input)
		piece=$((piece + 1))
		if [ -e $jobs/"$id"/input ]; then
			take "$first" >$jobs/"$id"/$piece && echo $piece 1<>$jobs/"$id"/input
		else
			take "$first" >/dev/null
		fi
		;;
	close) [ ! -e $jobs/"$id"/input ] || echo end 1<>$jobs/"$id"/input ;;
	signal) send_signal "$id" "$first" ;;
	esac
done
