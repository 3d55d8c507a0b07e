#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The demonstration: two unmodified OpenVPN processes, in two network
# namespaces, exchange packets through TUN devices. It is also the smallest
# complete example of how the daemon is put to use. Not a test: the system
# suite is.
#
#   demo.sh --about                       says what a run shows
#   TUND=/path/of/tund demo.sh [--keep]   the device is served by tund
#   DEVICE=/dev/net/tun demo.sh [--keep]  the same on the kernel's own device
#   demo.sh --end                         ends what --keep or a crash left
set -euo pipefail

address_a=10.8.0.1
address_b=10.8.0.2
megabytes=10

id=$$
work=/run/tund-demo.$id
ns_a=tund-demo-a-$id
ns_b=tund-demo-b-$id
keep=
declare -A pids=()

# --- processes --------------------------------------------------------------

# A process is named by its number and its time of birth: numbers are reused.
born()
{
	local stat

	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086 # the fields are words
	set -- $stat
	[ "$1" != Z ] && echo "${20}"
}

# start NAME COMMAND...: in a session of its own, so that Ctrl-C reaches this
# script alone, which ends everything in the right order.
start()
{
	local name=$1 pid

	shift
	holding=1
	env --default-signal=INT,QUIT setsid "$@" \
		>"$work/$name.log" 2>&1 </dev/null 3>&- 4>&- &
	pid=$!
	echo "$pid $(born "$pid" || echo 0) $name" >>"$work/processes"
	pids[$name]=$pid
	holding=
	[ -z "$caught" ] || exit "$caught"
}

# on_signal STATUS: a signal that came while a process was not yet written down
# waits until it is, or nobody would end that process.
holding=
caught=
on_signal()
{
	caught=$1
	[ -n "$holding" ] || exit "$1"
}

alive()
{
	[ "$(born "$1" || true)" = "$2" ]
}

# end_processes WORK PATTERN: SIGTERM, and SIGKILL for what is left after 5 s.
end_processes()
{
	local pid birth name signal deadline left

	[ -f "$1/processes" ] || return 0
	for signal in TERM KILL; do
		left=
		while read -r pid birth name; do
			# shellcheck disable=SC2254 # a pattern is meant
			case $name in $2) ;; *) continue ;; esac
			alive "$pid" "$birth" || continue
			[ "$signal" = TERM ] ||
				echo "demo: $name does not end: killed" >&2
			kill "-$signal" "$pid" 2>/dev/null || true
			left="$left $pid:$birth"
		done <"$1/processes"
		deadline=$((SECONDS + 5))
		for pid in $left; do
			while alive "${pid%:*}" "${pid#*:}" &&
				[ "$SECONDS" -lt "$deadline" ]; do
				sleep 0.05
			done
		done
	done
}

running()
{
	born "${pids[$1]}" >/dev/null
}

not_running()
{
	! running "$1"
}

# --- the end ----------------------------------------------------------------

# The clients go before the daemon: their mount tables hold copies of its mount.
end_in_order()
{
	end_processes "$1" '[!t]*'
	end_processes "$1" tund
}

# remove WORK: everything that the run with this directory made.
remove()
{
	local dir=$1 run=${1##*.} target name left=0

	end_in_order "$dir"
	while read -r target; do
		echo "demo: $target was still mounted" >&2
		umount "$target" || umount --lazy "$target" || true
		left=1
	done < <(findmnt -rno TARGET | grep "^$dir/" || true)
	for name in "tund-demo-a-$run" "tund-demo-b-$run"; do
		if [ -e "/run/netns/$name" ]; then
			ip netns del "$name" || left=1
		fi
	done
	rm -rf --one-file-system "$dir" || left=1
	return "$left"
}

end_all()
{
	local dir owner found=

	for dir in /run/tund-demo.*; do
		[ -d "$dir" ] || continue
		owner=$(cat "$dir/owner" 2>/dev/null || true)
		# shellcheck disable=SC2086 # a number and a time of birth
		if [ -n "$owner" ] && alive $owner; then
			echo "demo: ${dir##*.} is at work; leaving it alone"
			continue
		fi
		remove "$dir" || true
		echo "demo: ${dir##*.} ended, everything removed"
		found=1
	done
	[ -n "$found" ] || echo "demo: nothing was left running"
}

finish()
{
	local status=$? log

	trap '' INT TERM HUP PIPE
	trap - EXIT
	set +e
	# The signal may have come while a command's output was redirected.
	exec >&3 2>&4
	[ -z "$keep" ] || [ "$status" -ne 0 ] || exit 0
	end_in_order "$work"
	if [ "$status" -eq 0 ] && [ -n "${pids[tund]-}" ]; then
		wait "${pids[tund]}" || {
			echo "demo: tund ended with status $?" >&2
			status=1
		}
	fi
	if [ "$status" -ne 0 ] && [ "$status" -lt 128 ]; then
		for log in "$work"/*.log; do
			[ -s "$log" ] || continue
			echo "---- the end of ${log##*/}:"
			tail -n 25 "$log"
		done >&2
	fi
	if ! remove "$work" && [ "$status" -eq 0 ]; then
		status=1
	fi
	if [ "$status" -eq 0 ]; then
		say "Removed: processes, mounts, namespaces, files."
	else
		echo "demo: failed or interrupted; everything removed" >&2
	fi
	exit "$status"
}

# --- steps ------------------------------------------------------------------

say()
{
	echo "$*"
}

fail()
{
	echo "demo: $*" >&2
	exit 1
}

# await SECONDS WHAT COMMAND...: until the command succeeds.
await()
{
	local deadline=$((SECONDS + $1)) what=$2

	shift 2
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || fail "no $what in time"
		sleep 0.05
	done
}

in_a()
{
	ip netns exec "$ns_a" "$@"
}

in_b()
{
	ip netns exec "$ns_b" "$@"
}

make_wire()
{
	local name

	for name in "$ns_a" "$ns_b"; do
		ip netns add "$name"
		ip -n "$name" link set lo up
		# The counters shall show our packets, not the host's chatter.
		ip netns exec "$name" sh -c 'echo 1 \
			>/proc/sys/net/ipv6/conf/default/disable_ipv6' \
			2>/dev/null || true
	done
	ip -n "$ns_a" link add wire type veth peer name wire netns "$ns_b"
	ip -n "$ns_a" address add 192.0.2.1/30 dev wire
	ip -n "$ns_b" address add 192.0.2.2/30 dev wire
	ip -n "$ns_a" link set wire up
	ip -n "$ns_b" link set wire up
}

device_ready()
{
	running tund || fail "tund ended before its device was there"
	# In a child: a daemon that does not answer must not stop this script.
	timeout 5 test -e "$DEVICE"
}

start_daemon()
{
	mkdir "$work/dev"
	start tund "$TUND" --mount "$work/dev" --foreground --log-level info
	DEVICE=$work/dev/net/tun
	await 10 "device file $DEVICE" device_ready
}

make_certificate()
{
	openssl ecparam -name prime256v1 -genkey -noout -out "$work/$1.key" &&
		openssl req -new -x509 -sha256 -days 2 -subj "/CN=$1" \
			-key "$work/$1.key" -out "$work/$1.crt"
}

fingerprint()
{
	openssl x509 -noout -fingerprint -sha256 -in "$work/$1.crt" |
		cut -d= -f2
}

# start_openvpn END PEER NAMESPACE OPTION...
start_openvpn()
{
	local end=$1 peer=$2 namespace=$3

	shift 3
	start "openvpn_$end" ip netns exec "$namespace" openvpn \
		--dev tun --dev-node "$DEVICE" --disable-dco \
		--proto udp4 --port 1194 \
		--cert "$work/$end.crt" --key "$work/$end.key" \
		--peer-fingerprint "$(fingerprint "$peer")" \
		--ping 1 --ping-exit 30 --connect-retry 1 \
		--verb 3 "$@"
}

tunnel_ready()
{
	local end

	for end in a b; do
		running "openvpn_$end" || fail "the OpenVPN of end $end ended"
		grep -q 'Initialization Sequence Completed' \
			"$work/openvpn_$end.log" || return 1
	done
}

interface_of()
{
	sed -n 's/.*TUN\/TAP device \([^ ]*\) opened.*/\1/p' \
		"$work/openvpn_$1.log"
}

show_descriptors()
{
	local end pid fd count

	for end in a b; do
		pid=${pids[openvpn_$end]}
		count=0
		for fd in "/proc/$pid/fd/"*; do
			timeout 5 test "$fd" -ef "$DEVICE" || continue
			say "  OpenVPN $end: $fd -> $(readlink "$fd")"
			count=$((count + 1))
		done
		[ "$count" -gt 0 ] ||
			fail "OpenVPN $end does not hold $DEVICE open"
	done
	say "  which is a $(timeout 5 stat -c %F "$DEVICE") on" \
		"$(timeout 5 findmnt -nro FSTYPE,SOURCE,TARGET -T "$DEVICE")"
}

listening()
{
	[ -n "$(in_b ss -Hltn "src $address_b:5001")" ]
}

transfer()
{
	local sent received begin ms

	head -c "${megabytes}M" /dev/urandom >"$work/sent"
	start receiver ip netns exec "$ns_b" timeout 60 \
		socat -u "TCP-LISTEN:5001,bind=$address_b" \
		"CREATE:$work/received"
	await 10 "listener in $ns_b" listening
	begin=$(date +%s%N)
	in_a timeout 60 socat -u "OPEN:$work/sent" \
		"TCP:$address_b:5001" 2>"$work/sender.log" ||
		fail "the sender of the file failed"
	await 30 "end of the transfer" not_running receiver
	ms=$((($(date +%s%N) - begin) / 1000000))
	sent=$(sha256sum <"$work/sent")
	received=$(sha256sum <"$work/received")
	say "  sent     sha256 ${sent%% *}"
	say "  received sha256 ${received%% *}"
	[ "$sent" = "$received" ] || fail "the file arrived changed"
	say "  equal; $megabytes MiB in $ms ms"
}

# What each end counted: its interface, and the datagrams that OpenVPN's own
# socket could not take.
counters()
{
	in_a ip -s -j link show dev "$interface_a" >"$work/a.json" &&
		in_b ip -s -j link show dev "$interface_b" >"$work/b.json" &&
		in_a cat /proc/net/snmp >"$work/a.snmp" &&
		in_b cat /proc/net/snmp >"$work/b.snmp" &&
		cat "$work/a.json" "$work/b.json"
}

counters_rest()
{
	local before

	before=$(counters)
	sleep 0.1
	[ "$before" = "$(counters)" ]
}

table()
{
	await 10 "rest in the counters" counters_rest
	python3 - "$work" "$rtt" <<-'END'
	import json, sys

	def end(name):
	    link = next(l for l in json.load(open(f'{work}/{name}.json')) if l)
	    keys, values = (l.split() for l in open(f'{work}/{name}.snmp')
	                    if l.startswith('Udp:'))
	    udp = dict(zip(keys, values))
	    return link['ifname'], link['stats64'], int(udp['RcvbufErrors'])

	work, rtt = sys.argv[1:]
	ends = {name: end(name) for name in 'ab'}
	row = '  {:<7} {:<17} {:>9} {:>11} {:>9} {:>11} {:>6} {:>6}'
	print(row.format('', 'interfaces', 'packets', 'bytes', 'packets', 'bytes',
	                 '', 'at the'))
	print(row.format('', '', 'in', 'in', 'out', 'out', 'lost', 'socket'))
	for here, there in ('ab', 'ba'):
	    name, own, _ = ends[here]
	    peer_name, peer, full = ends[there]
	    tx, rx = own['tx'], peer['rx']
	    print(row.format(f'{here} to {there}', f'{name} to {peer_name}',
	                     tx['packets'], tx['bytes'],
	                     rx['packets'], rx['bytes'],
	                     tx['packets'] - rx['packets'], full))
	print(f'  round trip min/avg/max: {rtt}')
	print("  at the socket: of the lost, those that found the buffer of the "
	      "receiving\n  OpenVPN's UDP socket full; TCP sent them again")
	END
}

about()
{
	cat <<-END
	What you are about to see: two network namespaces, joined by a wire. In
	each an unmodified OpenVPN opens, as its TUN device, a file that the
	user-space daemon tund serves through FUSE. Then ping and a file of
	$megabytes MiB, its digest checked, go through the tunnel; a table says what
	the interfaces counted; and everything is removed.

	END
}

run()
{
	local out

	say "1. Namespaces $ns_a and $ns_b, wire 192.0.2.1 - 192.0.2.2"
	make_wire
	if [ -z "${DEVICE-}" ]; then
		[ -x "${TUND-}" ] || fail "no tund: set TUND or DEVICE"
		say "2. tund serves $work/dev/net/tun"
		start_daemon
	else
		say "2. No daemon: the device is $DEVICE"
	fi

	say "3. OpenVPN $(openvpn --version | awk 'NR == 1 { print $2 }') in" \
		"both, TLS, tunnel $address_a - $address_b"
	make_certificate a 2>"$work/openssl.log" ||
		fail "no certificate for end a"
	make_certificate b 2>"$work/openssl.log" ||
		fail "no certificate for end b"
	start_openvpn a b "$ns_a" --local 192.0.2.1 --remote 192.0.2.2 \
		--tls-server --dh none --ifconfig "$address_a" "$address_b"
	start_openvpn b a "$ns_b" --local 192.0.2.2 --remote 192.0.2.1 \
		--tls-client --ifconfig "$address_b" "$address_a"
	await 30 "connection between the two OpenVPN" tunnel_ready
	interface_a=$(interface_of a)
	interface_b=$(interface_of b)
	if [ -z "$interface_a" ] || [ -z "$interface_b" ]; then
		fail "OpenVPN does not say which interface it got"
	fi
	show_descriptors

	say "4. ping -c 5 $address_b"
	if ! out=$(in_a ping -c 5 -i 0.2 -w 15 "$address_b" 2>&1); then
		fail "no answer to ping:
$out"
	fi
	rtt=$(sed -n 's/^rtt .* = \([0-9.]*\/[0-9.]*\/[0-9.]*\)\/[0-9.]* \(ms\).*/\1 \2/p' \
		<<<"$out")
	grep -E 'transmitted|^rtt' <<<"$out" | sed 's/^/  /'

	say "5. $megabytes MiB of random bytes by TCP, a to b"
	transfer
	say "6. What went into the tunnel at one interface and came out at the other"
	table
	say
}

need_root()
{
	[ "$(id -u)" -eq 0 ] || fail "needs root: sudo ./dev demo"
}

tell_how_to_look()
{
	cat <<-END
	Left running, as asked. Look with:
	  ip netns exec $ns_a ping $address_b
	  ip netns exec $ns_b ip -s link show dev $interface_b
	  tail -f $work/*.log
	End it with:
	  sudo ./dev demo --end
	END
}

case ${1-} in
--end)
	need_root
	end_all
	exit 0 ;;
--about)
	about
	exit 0 ;;
--keep)
	keep=1 ;;
'') ;;
*)
	echo "demo: unknown option '$1'; there are --keep and --end" >&2
	exit 2 ;;
esac

need_root
exec 3>&1 4>&2
mkdir -m 700 "$work"
echo "$$ $(born $$)" >"$work/owner"
trap finish EXIT
trap 'on_signal 130' INT
trap 'on_signal 143' TERM
trap 'on_signal 129' HUP
trap 'on_signal 141' PIPE
run
[ -z "$keep" ] || tell_how_to_look
