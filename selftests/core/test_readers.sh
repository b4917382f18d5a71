#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Rights to read: switches and counters are for anybody in the netns, sessions and
# events for CAP_NET_ADMIN there. Loading switches a protocol on in the first netns, in others
# only when asked to.
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool setpriv util-linux

nobody()
{
	R setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$VPNPASS" "$@"
}

mode_in() { "$VPNPASS" ${1:+-n "$1"} -j show esp | jq -r '.[0].mode'; }

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_esp
check "a session" C 1 "$(peer espsend)" -s "${CIP[1]}" -d "${GIP[1]}" -i 0xaaaaaaaa -n 1
is "root sees it" 1 "$(sessions)"
check "nobody sees the switches" eval 'nobody -j show | jq -e ".[0].proto == \"esp\""'
check "nobody sees the counters" eval 'nobody -j stats | jq -e ".[0].counters.sessions_new == 1"'
nobody session > "$scratch/out" 2> "$scratch/err"
is "nobody does not see the session" 2 $?
check "nobody does not see the session: is told why" \
	grep -q "sessions are shown to CAP_NET_ADMIN alone" "$scratch/err"
nobody monitor > "$scratch/out" 2>&1 &
pid=$!
check "nobody does not see the events" busywait 20 eval "! kill -0 $pid"
kill $pid 2> /dev/null
check_fails "nobody changes no switch" nobody set esp off

check "unload" unload_modules
check "core loads with public_sessions=1" load_modules "vpnpass public_sessions=1" vpnpass_esp
check "a session again" C 1 "$(peer espsend)" -s "${CIP[1]}" -d "${GIP[1]}" -i 0xaaaaaaaa -n 1
is "nobody sees it now" 1 "$(nobody -j session | jq length)"

check "unload" unload_modules
check "core loads as it does for a user" load_modules "vpnpass default_netns=off" vpnpass_esp
is "the first netns is on" on "$(mode_in)"
is "another one is off" off "$(mode_in "${nsp}r")"
check "another one is off: it can be switched on there" vp set esp on
is "another netns that was switched on is on" on "$(mode_in "${nsp}r")"
ip netns add "${nsp}new"
at_exit "ip netns del ${nsp}new"
is "one that is made later is off, too" off "$(mode_in "${nsp}new")"

# of a netns in which nobody has asked for anything there is nothing but the sysctls
fresh() { ip netns exec "${nsp}fresh" "$@"; }
ip netns add "${nsp}fresh"
check "a fresh netns: a device and its address come" eval '
	fresh ip link add d0 type dummy && fresh ip addr add 192.0.2.9/24 dev d0 &&
	fresh ip link set d0 up'
check "a fresh netns: user space attaches the helper of ours" fresh nft '
	table ip t {
		ct helper ours { type "vpnpass" protocol udp; }
		chain out {
			type filter hook output priority 0;
			ip protocol udp ct helper set "ours"
		}
	}'
fresh python3 "$selftests/pkt.py" send --src 192.0.2.9 --dst 192.0.2.10 --proto udp \
	--sport 500 --dport 500 --count 3
check "a fresh netns: the packets have that helper" eval '
	fresh conntrack -L -p udp 2> /dev/null | grep -q helper=vpnpass'
check "a fresh netns: the address goes" fresh ip addr del 192.0.2.9/24 dev d0
is "a fresh netns: no session" 0 "$(fresh "$VPNPASS" -j session | jq length)"
check "a fresh netns: nothing to flush" fresh "$VPNPASS" session flush
is "a fresh netns: the sysctl says off" 0 "$(fresh sysctl -n net.vpnpass.esp)"
check "a fresh netns: the sysctl switches on" fresh sysctl -qw net.vpnpass.esp=1
is "a fresh netns: the tool says on" on "$(mode_in "${nsp}fresh")"
ip netns del "${nsp}fresh"
check "unload" unload_modules
check_fails "default_netns=nonsense is refused" load_module vpnpass default_netns=nonsense

# --- a user namespace's root is bound by the limits of the first netns -------------------
check "modules load" load_modules vpnpass vpnpass_esp
check "the limit of the first netns" "$VPNPASS" set esp max_sessions 100
unshare -Urn "$VPNPASS" set esp max_sessions 101 > "$scratch/out" 2>&1
is "a user namespace's root cannot have more" 2 $?
check "a user namespace's root cannot have more: is told why" \
	grep -q "above the limit of the initial network namespace" "$scratch/out"
check "a user namespace's root can have as much" \
	unshare -Urn "$VPNPASS" set esp max_sessions 100
check "modules unload" unload_modules
done_testing
