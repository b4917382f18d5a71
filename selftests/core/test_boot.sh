#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A power cut: what the service saved comes back before the network does, and what
# the gateway sends first reaches its client. An older file does not come over what
# is newer, neither on the disk nor in the kernel.
#
#   c1 ---+
#   c2 ---+--- r (masquerade) ---- g1
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool flock util-linux

keep=$(readlink -f "$selftests/../packaging/state")
export STATE=$scratch/lib/state RUNTIME_DIRECTORY=$scratch/run
mkdir -p "$scratch/bin" "$RUNTIME_DIRECTORY"
printf '#!/bin/sh\nexec "%s" -n "%s" "$@"\n' "$VPNPASS" "${nsp}r" > "$scratch/bin/vpnpass"
chmod +x "$scratch/bin/vpnpass"
PATH=$scratch/bin:$PATH

# power_cut: nothing in the kernel, no address on the WAN, nothing in /run
power_cut()
{
	unload_modules && ip -n "${nsp}r" addr del $PUB/24 dev wan && R conntrack -F &&
		ip -n "${nsp}r" link set wan down && rm -f "$RUNTIME_DIRECTORY"/*
}

network_up()
{
	ip -n "${nsp}r" link set wan up && ip -n "${nsp}r" addr add $PUB/24 dev wan
}

# from_gateway i: the gateway pings client i, which has to answer all
from_gateway()
{
	"$(peer nsping)" -c 4 -i 50 -w 1000 "${nsp}g1" "${GIN[1]}" "${CIN[$1]}" > "$scratch/pings"
}

sessions_saved()
{
	grep -c '^session' "$STATE"
}

check "topology" topo 2 1
check "SAs" esp_up "1 2"
check "modules load" load_modules vpnpass vpnpass_esp
check "start, with no file" "$keep" boot
vp set esp timeout 1800
check "clients are paired" esp_settle "1 2"
check "save" "$keep" save
is "both sessions are in the file" "$(sessions_saved)" 2
pins=$(vp -j session | jq -c '[.[] | [.client, ([.spi_in[].spi] | sort)]] | sort')

check "power cut" power_cut
check "modules load" load_modules vpnpass vpnpass_esp
check "a save before the restore leaves the file alone" "$keep" save
is "both sessions are in the file still" "$(sessions_saved)" 2
check "restore, before the network" "$keep" boot
is "the same clients and SPIs" \
	"$(vp -j session | jq -c '[.[] | [.client, ([.spi_in[].spi] | sort)]] | sort')" "$pins"
check "the same clients and SPIs: it leaves switches and settings to the configuration" \
	vp_is '.[0].settings.timeout.value == 3600' show esp
check "the network comes up" network_up
check "client 2 answers the gateway's first packet" from_gateway 2
check "client 1 as well" from_gateway 1
check "restore, after the network" "$keep" late
is "nothing came twice" "$(sessions)" 2

# --- never an older one over a newer ----------------------------------------------------
cp "$STATE" "$scratch/older"
ids=$(vp -j session | jq -c '[.[].id] | sort')
packets=$(vp -j session | jq '[.[].packets] | add')
check "an older file is restored over live sessions" vp restore --sessions "$scratch/older"
is "an older file is restored over live sessions: they are the same" \
	"$(vp -j session | jq -c '[.[].id] | sort')" "$ids"
check "an older file is restored over live sessions: have forgotten nothing" \
	vp_is "([.[].packets] | add) >= $packets" session
# A save that waits for another saves what is known after it, not before.
exec 8> "$RUNTIME_DIRECTORY/save.lock"
flock 8
spawn "$keep" save
waiting=$spawn_pid
vp session flush client "${CIP[1]}" > /dev/null
flock -u 8
check "the save that waited ends" wait "$waiting"
is "the save that waited ends: it has what is newest" "$(sessions_saved)" 1

# --- a file that cannot be used -----------------------------------------------------------
head -c 200 "$scratch/older" > "$STATE"
rm "$RUNTIME_DIRECTORY/restored"
check "a start with a file that was cut" "$keep" boot
check "puts it aside" test -e "$STATE.refused" -a ! -e "$STATE"
check "after a broken file was put aside the next save is made" "$keep" save
is "the next save is of what there is" "$(sessions_saved)" 1
done_testing
