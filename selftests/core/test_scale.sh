#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 65,536 sessions: a list of all is as dear for each as a list of an eighth of them, one
# that matches nothing is no dearer, and packets wait neither for lists nor for the sweep.
# The guest's clock counts instructions: 1 us is 1,000 of them.
#
#   c1 (a tunnel of ESP) --- r (masquerade) ---- g1; the other clients are in the file only
# run: icount timeout=1200
. "$(dirname "$0")/../lib.sh"
checktool jq

few=8192 many=65536

# file N: sessions of 512 gateways
file()
{
	python3 - "$1" $PUB "$(date +%s)" <<-'P'
	import sys, zlib
	n, local, now = int(sys.argv[1]), *sys.argv[2:]
	text = [f"vpnpass 1\nsaved {now}\nlocal {local}\n"]
	for i in range(n):
	    text.append(f"session esp client 10.{1 + (i >> 14)}.{i >> 7 & 127}.{2 + (i & 127)} "
	                f"peer 198.18.{i >> 8 & 1}.{i & 255} local {local} expires 3000\n"
	                f"\tspi in 0x{0x10000 + i:08x} idle 1\n")
	text = "".join(text)
	print(text + "sum %08x" % zlib.crc32(text.encode()))
	P
}

restored()
{
	file "$1" > "$scratch/file"
	vp restore "$scratch/file" > "$scratch/out" || return
	[ "$(sessions proto esp)" -ge "$1" ]
}

# listed [FILTER...]: prints how many microseconds a list of sessions takes
listed()
{
	local from=${EPOCHREALTIME/./}

	vp -br session "$@" > /dev/null || return
	echo $((${EPOCHREALTIME/./} - from))
}

# slowest: prints the longest round trip of 100 pings through the tunnel, in microseconds
slowest()
{
	C 1 ping -q -c 100 -i 0.02 -I "${CIN[1]}" "${GIN[1]}" |
		sed -n 's#^rtt .*= [^/]*/[^/]*/\([^/]*\)/.*#\1#p' | awk '{ printf "%d\n", $1 * 1000 }'
}

check "topology" topo 1 1
check "an SA" esp_up 1
check "modules load" load_modules vpnpass vpnpass_esp
check "room for them" vp set esp max_sessions 100000
conntrack_room 200000
check "the tunnel works" esp_pings 1
alone=$(slowest)
num "the slowest round trip without others (us)" "$alone" -gt 0
check "$few sessions" restored $few
few_us=$(listed) none_few_us=$(listed client 10.99.0.1)
check "$many sessions" restored $many
many_us=$(listed) none_many_us=$(listed client 10.99.0.1)
note "all of $few: $few_us us, of $many: $many_us us; none of them: $none_few_us, $none_many_us us"
num "a list of eight times as many takes at most ten times as long" $((many_us / few_us)) -lt 10
num "one of nothing takes less than a tenth of it" $((none_many_us * 10)) -lt "$many_us"
cat > "$scratch/lists" <<-E
	#!/bin/bash
	while :; do ip netns exec ${nsp}r $VPNPASS -br session client 10.99.0.1 > /dev/null; done
E
spawn bash "$scratch/lists"
crowd=$(slowest)
note "slowest of 100 round trips: alone $alone us, beside lists of $many sessions $crowd us"
num "packets do not wait for lists or the sweep" "$crowd" -lt $((alone + 1000))
kill "$spawn_pid"
check "modules unload" unload_modules
done_testing
