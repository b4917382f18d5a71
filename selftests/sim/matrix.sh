#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# matrix.sh [-q] [SEED...]: the figures of the policy in all networks and scenes, a line
# a cell, as "pair_sim --help" has them. -q: less of it, in half a minute.
sim=$(dirname "$0")/bin/pair_sim
runs=60
[ "$1" = -q ] && { runs=10; shift; }

# cell CLIENTS OPTION...: runs, so that each cell has as many clients, but for the largest
cell() {
	n=$1
	shift
	r=$((runs * 5 / n))
	nice -n 15 "$sim" --seed "$seed" --clients "$n" \
		--runs $((r ? r : 1)) "$@"
}

printf 'policy\tnet\tscene\thostile\tike\tclients\truns\tseed\tup\tmedian_ms\tp99_ms\tlost\twrong_10s\twrong_end\tcopies_1000\tpaired\tcpu_s\n'
[ $# -gt 0 ] || set -- 2 3 4
for seed in "$@"; do
	for net in model 20/20 60/60 300/10 650/30 lte; do
		for n in 2 5 20 60 200; do
			cell $n --net $net --scene ten
		done
		for n in 5 20; do
			cell $n --net $net --scene ten --no-ike
		done
		for scene in eap slow-gateway; do
			cell 20 --net $net --scene $scene
		done
	done
	for ike in --loss=0.01 --no-ike; do
		for pps in 5 50 500; do
			cell 20 --scene mix --hostile spoof --spoof $pps $ike
		done
		for h in repeat spis answers; do
			cell 20 --scene mix --hostile $h $ike
		done
	done
done
