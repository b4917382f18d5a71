#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The fast way, of ESP over IPv4: packets arrive as by the ordinary path, are counted as
# there, and what the administrator changes takes effect: at once where the router can know,
# within the lease where it cannot.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
# run: timeout=600
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool conntrack

fast()
{
	check "fast $1" vp set esp fast "$1"
}

# monitored REGEX: the monitor has told of it
monitored()
{
	grep -qE -- "$1" "$monitor_log"
}

check "topology" topo 2 1
need_esp
check "modules load" load_modules vpnpass vpnpass_esp
check "SAs" esp_up "1 2"
check "both clients are known" esp_settle "1 2"

# --- off, which is the default --------------------------------------------------------
is "by default nothing goes fast" "$(vp -j show esp | jq '.[0].settings.fast.value')" 0
R conntrack -C > /dev/null
mib > "$scratch/mib"
esp_pings "1 2" -c 50 -i 20 -w 1000
is "ordinary: nothing is lost" "$(esp_lost)" 0
mib_grown "$scratch/mib" > "$scratch/mib.ordinary"
is "... and nothing went fast" "$(fast_of 1 out) $(fast_of 2 in) $(counter fast_packets)" "0 0 0"

# --- on: the same packets, counted alike ----------------------------------------------
spawn "$VPNPASS" -n "${nsp}r" monitor
monitor_log=$spawn_log
check_fails "no lease of more than ten seconds" vp set esp fast 10001
fast 1000
check "g1 counts TTLs" count_at g1 prerouting ttl "meta l4proto esp ip ttl != 63"
check "the router's FORWARD counts" count_at r forward forwarded "meta l4proto esp"
was=$(packets_of 1 out) fast_was=$(fast_of 1 out)
strays="$(xfrm_stat c1 XfrmInNoStates) $(xfrm_stat c2 XfrmInNoStates)"
mib > "$scratch/mib"
esp_pings "1 2" -c 50 -i 20 -w 1000
is "fast: nothing is lost" "$(esp_lost)" 0
is "... nor doubled" "$(ping_of 1 dup) $(ping_of 2 dup)" "0 0"
is "the MIB counts as on the ordinary path" "$(mib_grown "$scratch/mib")" \
	"$(cat "$scratch/mib.ordinary")"
is "conntrack and session count each packet" $(($(packets_of 1 out) - was)) 50
num "most went fast, outward" "$(fast_of 1 out)" -ge 40
num "... and inward" "$(fast_of 2 in)" -ge 40
is "the protocol's counter is their sum" "$(counter fast_packets)" \
	$(($(fast_of 1 out) + $(fast_of 1 in) + $(fast_of 2 out) + $(fast_of 2 in)))
is "nobody got another's packets" "$(xfrm_stat c1 XfrmInNoStates) $(xfrm_stat c2 XfrmInNoStates)" \
	"$strays"
is "each packet's TTL is one less" "$(seen g1 ttl)" 0
num "FORWARD saw a few" "$(seen r forwarded)" -ge 4
num "... and no more" "$(seen r forwarded)" -le 40
is "what FORWARD saw and what went fast is all" \
	$(($(seen r forwarded) + $(counter fast_packets))) 200
check "the monitor told of it" busywait 20 monitored "esp +fast +${CIP[1]} > ${GIP[1]} spi out"

# Conntrack counts, octets too, what the session shows and what was sent.
read -r _ packets bytes < <(R conntrack -L -p esp -s "${CIP[1]}" 2> /dev/null |
	sed -nE 's/.*(src=[^ ]+) .*packets=([0-9]+) bytes=([0-9]+) src=.*/\1 \2 \3/p')
is "conntrack's own listing says the same" "$packets" "$(packets_of 1 out)"
spi=${esp_out[1.1]}
sent()
{
	C 1 "$selftests/pkt.py" send --src "${CIP[1]}" --dst "${GIP[1]}" --proto esp --spi "$spi" \
		--seq 4000 --len 100 --count 60 --rate 200 "$@"
}
check "60 packets of 128 octets" sent
read -r _ p2 b2 < <(R conntrack -L -p esp -s "${CIP[1]}" 2> /dev/null |
	sed -nE 's/.*(src=[^ ]+) .*packets=([0-9]+) bytes=([0-9]+) src=.*/\1 \2 \3/p')
is "... are 60 packets and 7680 octets" "$((p2 - packets)) $((b2 - bytes))" "60 7680"

# --- a packet on its own -------------------------------------------------------------
check "c1 counts time exceeded" count_at c1 input exceeded "icmp type time-exceeded"
check "packets with TTL 1" sent --ttl 1
num "... are answered" "$(seen c1 exceeded)" -ge 1
check "and then it goes fast again" busywait 20 goes_fast 1

check "c1 counts frag-needed" count_at c1 input toobig \
	"icmp type destination-unreachable icmp code 4"
esp_pings 1 -c 20 -i 20 -s 1000
is "large ones go" "$(esp_lost)" 0
R ip link set wan mtu 700
esp_pings 1 -c 3 -i 50 -s 1000 -w 300
num "a smaller MTU is told of at once" "$(seen c1 toobig)" -ge 1
R ip link set wan mtu 1500
C 1 ip route flush cache
check "small ones go on" all_back
check "... fast" busywait 20 goes_fast 1

# --- the administrator's changes count at once -------------------------------------------
esp_stream "1 2" -i 20
check "goes fast" busywait 20 goes_fast 1
R ip route add blackhole "${GIP[1]}"
check "a blackhole route: at once" fast_silent 1
R ip route del blackhole "${GIP[1]}"
check "it goes: all go on" busywait 20 all_back
check "... fast" busywait 20 goes_fast 1
R sysctl -qw net.ipv4.ip_forward=0
check "forwarding off: at once" fast_silent 1
R sysctl -qw net.ipv4.ip_forward=1
check "on: all go on" busywait 20 all_back
R ip xfrm policy add dir fwd src "${CIP[1]}" dst "${GIP[1]}" action block
check "a policy of IPsec's that blocks: at once" fast_silent 1
R ip xfrm policy del dir fwd src "${CIP[1]}" dst "${GIP[1]}"
check "it goes: all go on" busywait 20 all_back
R conntrack -D -p esp -s "${CIP[1]}" > /dev/null 2>&1
check "conntrack -D: another entry, and it goes on" busywait 10 all_back
check "... fast" busywait 20 goes_fast 1
for dev in lan1 wan; do
	R ip link set "$dev" down
	check "$dev down: at once" fast_silent 1
	R ip link set "$dev" up
	check "$dev up: it goes on" busywait 10 all_back
	check "$dev up: ... fast" busywait 20 goes_fast 1
done
R ip link set lan1 down
R ip link set lan1 name lan9
R ip link set lan9 up
check "a device with a new name" busywait 10 goes_fast 1
R ip link set lan9 down
R ip link set lan9 name lan1
R ip link set lan1 up
check "vpnpass set esp block" vp set esp block
check "... at once" fast_silent 1
check "vpnpass set esp on" vp set esp on
check "... and back" busywait 15 all_back
# Packets in doubt do not go fast, and a client that is not paired puts others' pins in doubt.
check "... both paired" esp_settle "1 2"
check "... fast" busywait 20 goes_fast 1

# --- within the lease ----------------------------------------------------------------
R nft add table ip late
R nft add chain ip late f '{ type filter hook forward priority 0; }'
R nft add rule ip late f ip saddr "${CIP[1]}" meta l4proto esp drop
check "a new drop rule: within the lease" busywait 3 fast_silent 1
check "... and of the other client's nothing is dropped" goes_fast 2
R nft delete table ip late
check "the rule goes: all go on" busywait 20 all_back

# --- packets that cannot go fast ---------------------------------------------------------
R nft add table ip mangle
R nft add chain ip mangle p '{ type filter hook postrouting priority -150; }'
R nft add rule ip mangle p ip saddr "${CIP[1]}" meta l4proto esp ip dscp set cs1
sleep 1.2
check "g1 counts what is not marked" count_at g1 prerouting unmarked \
	"esp spi ${esp_out[1.1]} ip dscp != cs1"
was=$(fast_of 1 out)
esp_pings 1 -c 60 -i 20
is "DSCP by a rule: not fast" "$(fast_of 1 out)" "$was"
is "... all are marked" "$(seen g1 unmarked)" 0
num "... refused, and counted" "$(counter fast_refused)" -ge 1
check "the monitor says why" busywait 20 monitored "fast-refused.*\(changed by more than NAT\)"
R nft delete table ip mangle
check "the rule goes: fast again" busywait 20 goes_fast 1

R nft add table ip mangle
R nft add chain ip mangle p '{ type filter hook prerouting priority -150; }'
R nft add rule ip mangle p meta l4proto esp meta mark set 0x77
check "wan counts marks" count_at r postrouting marked "meta mark 0x77 meta l4proto esp"
sleep 1.2
check "a mark by a rule" goes_fast 1
num "... is set" "$(seen r marked)" -ge 1
R nft delete table ip mangle

R nft add table ip untracked
R nft add chain ip untracked p '{ type filter hook prerouting priority raw; }'
R nft add rule ip untracked p ip saddr "${CIP[1]}" meta l4proto esp notrack
was=$(fast_of 1 out)
esp_pings 1 -c 5 -i 20 -w 200
is "untracked: not fast" "$(fast_of 1 out)" "$was"
R nft delete table ip untracked
check "tracked: fast again" busywait 10 goes_fast 1

# --- ends -------------------------------------------------------------------------------
fast 0
was=$(fast_of 1 out)
esp_pings 1 -c 10 -i 20
is "off: no longer" "$(fast_of 1 out)" "$was"
fast 10000
check "on: again" busywait 20 goes_fast 1
check "unloaded under traffic" unload_modules
check "loaded again" load_modules vpnpass vpnpass_esp
fast 1000
check "... goes on" busywait 15 all_back
check "... fast" busywait 20 goes_fast 2
esp_stream_end
esp_stream "1 2" -i 10
check "fast" busywait 20 goes_fast 1
ip netns del "${nsp}r"
sleep 0.5
kill "$stream_pid"
dmesg_clean "the netns goes, under traffic: kernel log"
check "modules unload" unload_modules
done_testing
