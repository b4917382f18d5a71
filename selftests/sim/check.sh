#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The pairing simulator as a test: what the policy promises, in each network, on a
# seed that it was not tuned on. TAP on stdout. RUNS= more of it; SEED= another world.
here=$(cd "$(dirname "$0")" && pwd)
sim=${SIM:-$here/bin/pair_sim}
n=0
bad=0

[ -x "$sim" ] || { mkdir -p "$here/bin" && "$here/build.sh" "$sim"; } || exit 1

# promise NAME LOST WRONG OPTION...: all up, at most so many % of packets lost, of
# clients wrong at the end
promise() {
	name=$1 lost=$2 wrong=$3
	shift 3
	n=$((n + 1))
	line=$("$sim" --seed "${SEED:-7}" "$@")
	if echo "$line" | awk -F '\t' -v l="$lost" -v w="$wrong" \
		'{ exit !($9 >= 99.9 && $12 <= l && $14 <= w) }'; then
		echo "ok $n - $name"
	else
		bad=1
		echo "# $line"
		echo "not ok $n - $name"
	fi
}

runs=${RUNS:-40}
for net in model 20/20 60/60 300/10 650/30 lte; do
	promise "5 clients, $net: at most 0.3 % lost, 0.1 % of clients wrong" 0.3 0.1 \
		--scene ten --net $net --clients 5 --runs "$runs"
	promise "20 clients, $net: at most 1 % lost, 0.1 % wrong" 1 0.1 \
		--scene ten --net $net --clients 20 --runs $((runs / 4))
	promise "5 clients, $net, no IKE in sight: at most 0.3 % lost, 0.1 % wrong" 0.3 0.1 \
		--scene ten --net $net --clients 5 --runs "$runs" --no-ike
	promise "20 clients, $net, no IKE in sight: at most 1 % lost, 0.2 % wrong" 1 0.2 \
		--scene ten --net $net --clients 20 --runs $((runs / 4)) --no-ike
done
promise "20 clients, EAP: at most 1 % lost, none wrong" 1 0 \
	--scene eap --clients 20 --runs "$runs"
promise "20 clients, a slow gateway: at most 1 % lost, none wrong" 1 0 \
	--scene slow-gateway --clients 20 --runs "$runs"
for pps in 5 50 500; do
	promise "20 clients, $pps spoofed packets a second: at most 1 % lost, none wrong" 1 0 \
		--scene mix --clients 20 --runs "$runs" --hostile spoof --spoof $pps
done
promise "20 clients, one IKE_AUTH repeated for ever: none wrong" 0.3 0 \
	--scene mix --clients 20 --runs "$runs" --hostile repeat
promise "20 clients, 40 new SPIs a second of one: at most 1 % lost, none wrong" 1 0 \
	--scene mix --clients 20 --runs "$runs" --hostile spis
promise "2 clients, a router that forgot all: at most 0.3 % lost, none wrong" 0.3 0 \
	--scene mid-life --clients 2 --runs $((runs * 10))
promise "20 clients, one answers everything: at most 0.3 % lost, none wrong" 0.3 0 \
	--scene mix --clients 20 --runs "$runs" --hostile answers
echo "1..$n"
exit $bad
