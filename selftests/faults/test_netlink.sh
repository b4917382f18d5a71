#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Hostile netlink: malformed, truncated and nested requests get the right errno
# and words, random ones under traffic do no harm, nobody without the right
# changes anything, a listener that never reads costs nothing but its own events.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool setpriv util-linux
checktool unshare util-linux

# where anybody can reach it
fuzz=$scratch/nlfuzz
cp "$(peer nlfuzz)" "$fuzz" || skip_all "no compiler"
chmod 755 "$scratch"
requests=$((${VPNPASS_FUZZ:-1500}))

# anybody COMMAND...: without any privilege, in the router's netns
anybody()
{
	R setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"
}

# all is as after loading again
reset_all()
{
	local s

	vp set esp on && vp set ike on &&
	for s in $(vp -j show esp | jq -r '.[0].settings | to_entries[] |
			"\(.key)=\(.value.default)"'); do
		vp set esp "${s%=*}" "${s#*=}" || return 1
	done
}

both_work()
{
	esp_pings "1 2" -c 2 -i 50 -w 500
}


check "topology" topo 2 1
check "SAs" esp_up "1 2"
check "modules load" load_modules vpnpass vpnpass_ike vpnpass_esp
check "malformed requests: errno and words" R "$fuzz" cases
check "anybody: may look, not touch" anybody "$fuzz" cases anybody
is "nothing was changed" "$(vp -j show | jq -c 'map(.mode)')" '["on","on","on"]'

# a netns of a user's own: root there, and master of its switches alone
own()
{
	# shellcheck disable=SC2016
	R setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		unshare -Urn sh -c '"$1" cases && "$1" flip 4 && "$1" random 7 200' - "$fuzz"
}
if anybody unshare -Urn true 2> /dev/null; then
	check "root of a user namespace in a netns of its own" own
	# shellcheck disable=SC2016
	check_fails "the same in the router's netns" \
		anybody unshare -Ur sh -c '"$1" flip 1' - "$fuzz"
	is "that changed nothing here" "$(vp -j show | jq -c 'map(.mode)')" '["on","on","on"]'
else
	skip "root of a user namespace" "none to be had"
fi

# --- at random, under traffic, with a listener that does not listen -----------------
check "both clients work" busywait 15 both_work
spawn ip netns exec "${nsp}r" "$fuzz" deaf
check "a listener joins and reads nothing" busywait 20 grep -q ready "$spawn_log"
kib=$(slab_kib)
esp_stream "1 2" -i 20
for n in 1 2 3; do
	spawn ip netns exec "${nsp}c$((n % 2 + 1))" "$(peer espsend)" -s "${CIP[n % 2 + 1]}" \
		-d "${GIP[1]}" -i 0x0002000$n/12 -n 0 -r 100
	check "random requests, seed $n" R "$fuzz" random $n "$requests"
	kill "$spawn_pid"
	wait "$spawn_pid" 2> /dev/null
done
check "the switch to and fro" R "$fuzz" flip 20
check "two at once" bash -c "ip netns exec ${nsp}r '$fuzz' random 8 200 & \
	ip netns exec ${nsp}r '$fuzz' flip 20 && wait \$!"
esp_stream_end
check "all back to how it was" reset_all
check "both clients work" busywait 15 both_work
spawn "$VPNPASS" -n "${nsp}r" -j monitor
log=$spawn_log
told()
{
	vp set esp off && vp set esp on && grep -q mode "$log"
}
check "who does listen is told" busywait 10 told
R conntrack -F > /dev/null 2>&1
lean() { [ "$(slab_kib)" -le $((kib + 1024)) ]; }
check "memory is given back" busywait 30 lean
note "slabs $kib to $(slab_kib) KiB"

# --- unloading while they talk ----------------------------------------------------------
# a dump that is under way holds the module: rmmod says so, and later it goes
spawn ip netns exec "${nsp}r" "$fuzz" random 9 100000000
reloads()
{
	local n

	for n in 1 2 3; do
		busywait 10 unload_modules && load_modules vpnpass vpnpass_ike vpnpass_esp || return 1
	done
}
check "modules unloaded and loaded meanwhile" reloads
check "both clients work" busywait 15 both_work
done_testing
