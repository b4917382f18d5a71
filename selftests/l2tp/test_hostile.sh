#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Packets that the fuzzer has found worth keeping, sent through the router from either
# side, over UDP and over IP: nothing breaks, nothing grows, and those who were
# there notice nothing.
#
#   c1 ---+
#   c2 ---+--- r (masquerade) ---- g1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/l2tp.sh"
checktool jq

corpus=$scratch/corpus
"$selftests/fuzz/corpus.py" l2tp "$corpus" || exit 1
inside() { C 2 "$(peer l2tp_send)" -s "${CIP[2]}" -d "${GIP[1]}" "$@" -f "$corpus"/*; }
outside() { G 1 "$(peer l2tp_send)" -s "${GIP[1]}" -d "$PUB" "$@" -f "$corpus"/*; }

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_l2tp
check "server" lns
before=$(slab_kib)
lac_start 1 -p 4001 -t 11 -n 100000
check "a client in use" busywait 10 vp_is 'any(.[]; .state == "up")' session client "${CIP[1]}"
n=$(find "$corpus" -type f | wc -l)
check "the corpus of $n files from inside, UDP" inside -p 1701 -q 1701
check "over IP" inside
check "from outside, UDP, to a client's port" outside -p 1701 -q 4001
check "from another port" outside -p 1799 -q 1701
check "the corpus from outside, over IP" outside
check "the corpus with the switch keep_port" \
	eval 'vp set l2tp keep_port 1 && inside -p 1701 -q 1701'
num "what is not L2TP is counted" "$(lcount malformed)" -gt 0
check "the client is up" vp_is 'any(.[]; .state == "up")' session client "${CIP[1]}"
got=$(vp -j session client "${CIP[1]}" | jq '.[0].packets_in')
check "the client is up: in use" busywait 20 eval '[ "$(vp -j session client ${CIP[1]} |
	jq ".[0].packets_in")" -gt $((got + 10)) ]'
num "sessions of the other" "$(sessions client "${CIP[2]}")" -le 3
check "the other client has no more numbers than it may" vp_is \
	'all(.[]; (.tunnel_id // [] | length) + (.session_id // [] | length) <= 256)' session
check "flush" vp session flush proto l2tp
num "memory did not grow (KiB)" "$(($(slab_kib) - before))" -lt 4096
check "modules unload" unload_modules
done_testing
