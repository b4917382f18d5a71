#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Streams that the fuzzer has found worth keeping, sent through a real TCP connection:
# every octet must arrive, and what is not PPTP ends as plain TCP, counted.
#
#   c1 ---+--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq

sim=$(peer pptp_sim) || skip_all "no compiler"
corpus=$scratch/corpus
"$selftests/fuzz/corpus.py" pptp_ctl "$corpus" || exit 1
check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_pptp
before=$(slab_kib)
check "the corpus of $(find "$corpus" -type f | wc -l) files passes, in two ways" \
	"$sim" "$nsp" replay "$corpus"/*
num "broken streams were noticed" "$(counter malformed pptp)" -gt 0
num "broken streams were noticed: left alone from there on" \
	"$(counter plain pptp)" -ge "$(counter malformed pptp)"
check "no session is left" busywait 20 vp_is 'length == 0' session
num "memory did not grow (KiB)" "$(($(slab_kib) - before))" -lt 4096
is "a good connection works as before" "$("$sim" "$nsp" one_call)" "one_call pass"

# A connection asks for more calls than a client may have.
check "a limit" vp set pptp max_per_client 11
spawn "$sim" "$nsp" hold 40
check "40 calls are asked for" busywait 20 grep -q ready "$spawn_log"
is "10 of them are served" "$(sessions proto pptp)" 10
is "30 are refused and counted" "$(counter calls_refused pptp)" 30
num "the limit too" "$(counter limit_client pptp)" -ge 30
kill "$spawn_pid"
check "a client's many calls end with their connection" busywait 10 vp_is 'length == 0' session
check "modules unload" unload_modules
done_testing
