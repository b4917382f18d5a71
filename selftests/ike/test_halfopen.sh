#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: timeout=400
# 100,000 exchanges that nobody finishes: from one client, from many addresses
# of the inside, and spoofed from outside. Memory is bounded, established
# sessions go on, and counters say what happened.
#
#   c1 ---+                          (floods come from c3)
#   c2 ---+--- r (masquerade) ---- g1
#   c3 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/sim.sh"
checktool jq
N=${IKE_FLOOD:-100000}

# still_up NAME: both clients' SAs work, both ways
mid=100
still_up()
{
	mid=$((mid + 1))
	drain g1 c1 c2
	passes_out 1 500 2 37 I 0x101 0xa1 $mid 80 && passes_in 1 2 37 R 0x101 0xa1 $mid 80 &&
		passes_out 2 500 2 37 I 0x102 0xa2 $mid 80 && passes_in 2 2 37 - 0x102 0xa2 $mid 80
}

setting() { vp -j show ike | jq ".[0].settings.$1.value"; }
pins() { vp -j show ike | jq '.[0].pins'; }

check "topology" topo 3 1
R ip addr add 10.0.3.1/16 dev lan3
check "simulator" sim_start
check "sockets" sim_open c1 c2 c3 g1
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "two clients are up" eval 'v2_up 1 0x101 0xa1 && v2_up 2 0x102 0xa2'
check "conntrack's table is not the limit" conntrack_room 262144
slab=$(slab_kib)
num "few pins" "$(pins)" -le 10

# --- from one client -------------------------------------------------------------------
sim flood c3 "${CIP[3]}" 1 "${GIP[1]}" $((N / 2)) 0x700000000000
is "$((N / 2)) from one client are sent" "$got" ok
num "the SAs of one session are bounded" "$(pins)" -le $(($(setting max_sas) * 3 + 10))
num "the limit is counted" "$(counter limit_numbers ike)" -ge $((N / 4))
check "with room for more in a session" vp set ike max_sas 4096
sim flood c3 "${CIP[3]}" 1 "${GIP[1]}" $((N / 2)) 0x780000000000
num "the half-open SAs of one client are bounded" "$(pins)" -le \
	$(($(setting max_half_open_client) * 3 + 10))
num "this limit is counted as well" "$(counter limit_half_open_client ike)" -ge $((N / 4))
check "established sessions go on" still_up
note "pins $(pins), slab $slab KiB before, $(slab_kib) KiB after"
num "memory: less than 4 MiB more" $(($(slab_kib) - slab)) -le 4096

# --- from outside ----------------------------------------------------------------------
before=$(pins)
conns=$(conntracks)
sim flood g1 "${GIP[1]}" 1 "$PUB" "$N" 0x800000000000
is "$N spoofed from the gateway's address are sent" "$got" ok
num "no pin was made" "$(pins)" -le "$before"
num "no connection either" "$(conntracks)" -le "$conns"
is "nothing was copied" "$(counter copies ike)" 0
drain c1 c2 c3
check "established sessions go on" still_up

# --- from many addresses of the inside ---------------------------------------------------
vp set ike max_per_peer 2000 > /dev/null
sim flood c3 10.0.100.1 8000 "${GIP[1]}" "$N" 0x900000000000
is "$N from 8000 addresses are sent" "$got" ok
note "sessions $(sessions proto ike), pins $(pins), slab $(slab_kib) KiB, of $slab before"
num "sessions are bounded" "$(sessions proto ike)" -le 2000
num "pins are bounded" "$(pins)" -le $(($(setting max_half_open) * 3 + 10))
num "the limit is counted" "$(counter limit_peer ike)" -ge 1
num "memory: less than 64 MiB" $(($(slab_kib) - slab)) -le 65536
check "established sessions go on" still_up
check "all of it goes with the modules" unload_modules
R conntrack -F 2> /dev/null
done_testing
