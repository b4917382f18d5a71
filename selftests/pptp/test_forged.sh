#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Segments that anybody can send who knows a connection's addresses and ports end
# no help, and connections that are never answered cost what they cost without us.
#
#   c1 ---+--- r (masquerade; port 1723 of its own leads to c1) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool conntrack
checktool jq
checktool python3

sim=$(peer pptp_sim) || skip_all "no compiler"
liberal=/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal

server_inside()
{
	R nft -f - <<-E
	table ip inside {
		chain pre {
			type nat hook prerouting priority dstnat
			iifname "wan" ip daddr $PUB tcp dport 1723 dnat to ${CIP[1]}
		}
	}
	E
}

# forged: each case must pass
forged()
{
	local name

	for name in $("$sim" "$nsp" list | grep ^forged); do
		is "$1: $name" "$("$sim" "$nsp" -f "$name")" "$name pass"
	done
}

# SYNs to the server inside, from that many addresses that answer nothing
flood_py='
import socket, struct, sys
def csum(b):
    n = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    n = (n & 0xffff) + (n >> 16)
    return ~(n + (n >> 16)) & 0xffff
to = socket.inet_aton(sys.argv[1])
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for i in range(int(sys.argv[2])):
    src = struct.pack("!BBH", 198, 18, i + 1)
    tcp = struct.pack("!HHIIBBHHH", 1024 + i, 1723, i, 0, 0x50, 2, 1024, 0, 0)
    n = csum(src + to + struct.pack("!HH", 6, 20) + tcp)
    s.sendto(struct.pack("!BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0) + src + to +
             tcp[:16] + struct.pack("!H", n) + tcp[18:], (sys.argv[1], 0))
'

# flood: prints the KiB of slab that 8,000 half-open connections hold
flood()
{
	local before

	R conntrack -F 2> /dev/null
	before=$(slab_kib)
	G 1 python3 -c "$flood_py" "$PUB" 8000
	[ "$(R conntrack -C)" -ge 7000 ] || echo "only $(R conntrack -C) entries" >&2
	echo $(($(slab_kib) - before))
}

check "topology" topo 2 1
check "a server inside" server_inside
check "the way back of the flood" R ip route add 198.18.0.0/15 via "${GIP[1]}"
spawn ip netns exec "${nsp}c1" python3 -c '
import socket, time
l = socket.create_server(("0.0.0.0", 1723), backlog=4096)
time.sleep(600)'
check "the way back of the flood: it listens" busywait 30 pptp_listens c1
modprobe -qa nf_conntrack_netlink
conntrack_room 100000 || note "no room for all connections"
flood > /dev/null	# the hash tables grow once
stock=$(flood)
check "modules load" load_modules vpnpass vpnpass_pptp
ours=$(flood)
note "8,000 half-open connections: $stock KiB without us, $ours KiB with us"
num "half-open connections cost little more than without us (KiB)" "$ours" -lt $((stock + 2048))
is "half-open connections are no sessions" \
	"$(sessions proto pptp)" 0
is "half-open connections are no control connections" \
	"$(counter controls pptp)" 0
is "half-open connections hit no limit" \
	"$(counter limit_peer pptp) $(counter limit_client pptp)" "0 0"
is "a client is served meanwhile" "$("$sim" "$nsp" one_call)" "one_call pass"
kill "$spawn_pid"
R conntrack -F 2> /dev/null

forged "conntrack checks windows"
R sh -c "echo 1 > $liberal"
forged "conntrack is liberal"
R sh -c "echo 0 > $liberal"
is "no stream has died of it" "$(counter plain pptp)" 0
check "no session is left" busywait 20 vp_is 'length == 0' session
check "modules unload" unload_modules
done_testing
