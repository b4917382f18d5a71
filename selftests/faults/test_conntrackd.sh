#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A router and its backup with conntrackd (FTFW): what the backup commits without
# vpnpass it commits with it, also when packets go fast, and a PPTP connection besides;
# it waits for no module to be asked for, which for each entry takes as long as a program
# to begin. conntrackd knows no call IDs: all GRE of two hosts is one entry.
#
#   c1 --- r (masquerade) ---- g1
#          | sync 10.9.0.1
#          | sync 10.9.0.2
#          b
. "$(dirname "$0")/../lib.sh"
checktool conntrack
checktool conntrackd
checktool jq
checktool python3

sim=$(peer pptp_sim) || skip_all "no compiler"
asked=$scratch/asked
cat > "$scratch/modprobe" <<-E
	#!/bin/sh
	echo "\$*" >> $asked
	exec /sbin/modprobe "\$@"
E
chmod +x "$scratch/modprobe"

B() { ip netns exec "${nsp}b" "$@"; }

add_backup()
{
	ip netns add "${nsp}b"
	ip -batch - <<-E
	link add name sync netns ${nsp}r type veth peer name sync netns ${nsp}b
	E
	ip -n "${nsp}r" -batch - <<-E
	addr add 10.9.0.1/24 dev sync
	link set sync up
	E
	ip -n "${nsp}b" -batch - <<-E
	link set lo up
	addr add 10.9.0.2/24 dev sync
	link set sync up
	E
	# entries are tracked, as on the router that it stands in for
	B nft -f - <<-E
	table ip nat {
		chain post {
			type nat hook postrouting priority srcnat
			oifname "wan" masquerade
		}
	}
	E
}

# config NAME OWN OTHER: conntrackd's of that router
config()
{
	cat > "$scratch/$1.conf" <<-E
	Sync {
		Mode FTFW { }
		UDP {
			IPv4_address 10.9.0.$2
			IPv4_Destination_Address 10.9.0.$3
			Port 3780
			Interface sync
			Checksum on
		}
	}
	General {
		HashSize 4096
		HashLimit 16384
		LogFile off
		LockFile $scratch/$1.lock
		UNIX { Path $scratch/$1.ctl }
	}
	E
}

daemon() { "$1" conntrackd -C "$scratch/$2.conf" "${@:3}"; }

start_daemons()
{
	spawn ip netns exec "${nsp}r" conntrackd -C "$scratch/r.conf"
	daemons=("$spawn_pid")
	spawn ip netns exec "${nsp}b" conntrackd -C "$scratch/b.conf"
	daemons+=("$spawn_pid")
	busywait 10 daemon R r -s > /dev/null && busywait 10 daemon B b -s > /dev/null
}

stop_daemons()
{
	daemon R r -k > /dev/null
	daemon B b -k > /dev/null
	wait "${daemons[@]}" 2> /dev/null
	R conntrack -F 2> /dev/null
	B conntrack -F 2> /dev/null
	return 0
}

# both_ways PROTO FIELDS...: a packet, and an answer to it
both_ways()
{
	C 1 "$selftests/pkt.py" send --src "${CIP[1]}" --dst "${GIP[1]}" "$@" &&
	G 1 "$selftests/pkt.py" send --src "${GIP[1]}" --dst "$PUB" "$@"
}

traffic()
{
	local port packets=(--proto esp --spi 0x12345678)

	for port in 500 4500 1701 5353; do
		packets+=(and --proto udp --sport "$port" --dport "$port")
	done
	both_ways "${packets[@]}" and --proto 115 --hex 1234567800000000
}

# synced N: has the backup been told of that many entries of the gateway's?
synced()
{
	[ "$(daemon B b -e 2> /dev/null | grep -c "${GIP[1]}")" -ge "$1" ]
}

# committed: protocol and ports or numbers of what the backup has committed, sorted
committed()
{
	B conntrack -L 2> /dev/null | grep "${GIP[1]}" |
		sed -E 's/^(tcp|udp).* dport=([0-9]+) .*src=.*/\1 \2/; t; s/^(\w+ +[0-9]+) .*/\1/' |
		tr -s ' ' | sort
}

check "topology" topo 2 1
check "a backup" add_backup
config r 1 2
config b 2 1
modprobe -qa nf_conntrack_netlink
: > "$asked"
echo "$scratch/modprobe" > /proc/sys/kernel/modprobe
at_exit "echo /sbin/modprobe > /proc/sys/kernel/modprobe"
G 1 sh -c 'ip route add 10.0.0.0/8 via 192.0.2.1 2> /dev/null'
spawn ip netns exec "${nsp}g1" python3 -c 'import socket, time
s = socket.create_server(("0.0.0.0", 7000))
held = []
while True:
    held.append(s.accept())'

tcp_hold()
{
	spawn ip netns exec "${nsp}c1" python3 -c "import socket, time
s = socket.create_connection(('${GIP[1]}', 7000))
print('ready', flush=True)
time.sleep(1000)"
	busywait 10 grep -q ready "$spawn_log"
}

# --- without us --------------------------------------------------------------------
check "stock: conntrackd runs on both" start_daemons
check "stock: a TCP connection" tcp_hold
check "stock: packets of all protocols" traffic
check "stock: the backup knows of all" busywait 20 synced 7
check "stock: it commits them" daemon B b -c
committed > "$scratch/stock"
num "stock: entries that the backup commits" "$(wc -l < "$scratch/stock")" -ge 7
check "stock: conntrackd ends" stop_daemons

# --- with us, and with the fast way ------------------------------------------------------
# ours NAME [MS]: MS is the lease
ours()
{
	local p

	check "$1: modules load" load_modules
	for p in ${2:+esp pptp l2tp}; do
		check "$1: fast $p" vp set "$p" fast "$2"
	done
	: > "$asked"
	check "$1: conntrackd runs on both" start_daemons
	check "$1: a TCP connection" tcp_hold
	spawn "$sim" "$nsp" hold 2
	check "$1: PPTP calls" busywait 20 grep -q ready "$spawn_log"
	# first, as with an emulated CPU it takes as long as UDP is remembered
	[ -z "${2-}" ] || check "$1: packets go fast" busywait 20 esp_fast
	check "$1: packets of all protocols" traffic
	check "$1: the backup knows of all" busywait 20 synced 9
	check "$1: it commits them" daemon B b -c
	committed > "$scratch/ours"
	is "$1: nothing is missing that the backup commits without us" \
		"$(comm -23 "$scratch/stock" "$scratch/ours")" ""
	is "$1: the control connection and its GRE besides" \
		"$(comm -13 "$scratch/stock" "$scratch/ours" | xargs)" "gre 47 tcp 1723"
	is "$1: no module was asked for" "$(grep -c nfct-helper "$asked")" 0
	check "$1: conntrackd ends" stop_daemons
	check "$1: modules unload" unload_modules
}

esp_fast()
{
	both_ways --proto esp --spi 0x12345678 --count 20 --rate 200 &&
		[ "$(counter fast_packets)" -ge 10 ]
}

ours "vpnpass"
ours "fast" 1000
done_testing
