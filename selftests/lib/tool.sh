# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Asking the router: the tool, its counters, conntrack and the slabs. And taps,
# which say what arrived where.

: "${VPNPASS:=$selftests/../tools/vpnpass}"

# vp ARG...: the tool, in the router's namespace
vp()
{
	"$VPNPASS" -n "${nsp}r" "$@"
}

# vp_is FILTER ARG...: jq FILTER holds for what "vpnpass -j ARG..." prints
vp_is()
{
	vp -j "${@:2}" > "$scratch/vp.json" && jq -e "$1" "$scratch/vp.json" > /dev/null
}

# counter NAME [PROTO]: prints a counter of that protocol (esp)
counter()
{
	vp -j stats "${2:-esp}" | jq ".[0].counters.$1"
}

# sessions [WORD...]: prints how many there are, e.g. sessions client 10.0.1.2
sessions()
{
	vp -j session "$@" | jq length
}

# client_has i SPI-KEY SPI: e.g. client_has 1 spi_in 0x12345678
client_has()
{
	local a=${CIP[$1]}

	[ -z "${esp6-}" ] || a=${CIP6[$1]}
	vp_is "any(.[]; any(.$2[]?; .spi == \"$3\"))" session client "$a"
}

# conntracks: prints how many entries the router has
conntracks()
{
	R cat /proc/sys/net/netfilter/nf_conntrack_count
}

# conntrack_room [N]: room for N connections, in all namespaces together; without N
# again for as many as there was for before. Fails where that is not ours to set.
conntrack_room()
{
	local max=/proc/sys/net/netfilter/nf_conntrack_max

	[ -w $max ] || return 1
	if [ -z "${conntrack_was-}" ]; then
		conntrack_was=$(cat $max)
		at_exit "echo $conntrack_was > $max"
	fi
	echo "${1:-$conntrack_was}" > $max
}

# slab_shrink: has the allocator give up what it keeps back, so that what is
# counted is in use
slab_shrink()
{
	local f

	echo 2 > /proc/sys/vm/drop_caches
	for f in /sys/kernel/slab/{kmalloc-*,nf_conntrack,skbuff*,net_namespace}/shrink; do
		[ ! -w "$f" ] || echo 1 > "$f"
	done
}

# slab_kib: prints what kmalloc, conntrack and packets hold, in KiB
slab_kib()
{
	slab_shrink
	awk '$1 ~ /^(kmalloc-|nf_conntrack|skbuff)/ { n += $2 * $4 }
	     END { printf "%d\n", n / 1024 }' /proc/slabinfo
}

# slab_mark, slab_grown: the three caches that have grown most in between, in KiB
slab_mark()
{
	slab_shrink
	cat /proc/slabinfo > "$scratch/slabinfo"
}

slab_grown()
{
	slab_shrink
	awk 'NR == FNR { was[$1] = $2; next }
	     $2 > was[$1] { printf "%s %d\n", $1, ($2 - was[$1]) * $4 / 1024 }' \
		"$scratch/slabinfo" /proc/slabinfo | sort -k 2nr | head -n 3 | tr '\n' ' '
}

# tap NS...: from now on what arrives at eth0 there is written to $tap_log, in
# the words of peers/rawtap.c
tap()
{
	local ns list=()

	for ns; do
		list+=("$nsp$ns" eth0)
	done
	spawn "$(peer rawtap)" "${list[@]}"
	tap_log=$spawn_log tap_pid=$spawn_pid
	busywait 20 grep -q ready "$tap_log"
	tap_mark
}

# tap_mark: tap_seen and tap_show begin here
tap_mark()
{
	tap_from=$(($(wc -l < "$tap_log") + 1))
}

tap_show()
{
	tail -n "+$tap_from" "$tap_log"
}

# tap_seen REGEX: prints how many lines match
tap_seen()
{
	tap_show | grep -cE -- "$1"
}

# tap_has N REGEX: exactly so many; for busywait and check
tap_has()
{
	[ "$(tap_seen "$2")" = "$1" ] || { tap_show; return 1; }
}

# esp_stream "CLIENTS" [NSPING-OPTION...]: as esp_pings, but in the background
# until esp_stream_end
esp_stream()
{
	local i list=()

	for i in $1; do
		list+=("${nsp}c$i" "${CIN[i]}" "${GIN[${esp_gw:-1}]}")
	done
	spawn "$(peer nsping)" -c 0 "${@:2}" "${list[@]}"
	stream_pid=$spawn_pid stream_log=$spawn_log
}

esp_stream_end()
{
	kill -TERM "$stream_pid"
	wait "$stream_pid"
	cp "$stream_log" "$scratch/pings"
}

# ping_of i FIELD: of the last esp_pings or esp_stream: sent, received, first,
# gap or dup
ping_of()
{
	awk -v ns="${nsp}c$1" -v f="$2" '$1 == ns {
		for (i = 4; i < NF; i++) if ($i == f) print $(i + 1) }' "$scratch/pings"
}

# esp_lost_of i: how many of its answers are missing
esp_lost_of()
{
	echo $(($(ping_of "$1" sent) - $(ping_of "$1" received)))
}

# esp_told i: the router is told client i's SPIs, as by restore
esp_told()
{
	local j=${esp_gw:-1}

	esp_ends "$1" "$j"
	R "$selftests/core/session_restore.py" proto=esp "client=$e_c" "peer=$e_g" "local=$e_p" \
		lifetime=3600000 "pin=0/1/${esp_in[$1.$j]}" "pin=0/0/${esp_out[$1.$j]}"
}

# esp_learned i: the router learns client i's newest inbound SPI from at most 60 pings,
# in step with nobody's; a stream without a pause of 32 ms asks nothing
esp_learned()
{
	local n

	for n in {0..20}; do
		client_has "$1" spi_in "${esp_in[$1.${esp_gw:-1}]}" && break
		esp_pings "$1" -c 3 -i 100 -j 1500
	done
	note "client $1's SPI is learned after $((3 * n)) pings"
	client_has "$1" spi_in "${esp_in[$1.${esp_gw:-1}]}"
}

# esp_paired i: the router knows both SPIs of client i
esp_paired()
{
	client_has "$1" spi_in "${esp_in[$1.${esp_gw:-1}]}" &&
		client_has "$1" spi_out "${esp_out[$1.${esp_gw:-1}]}"
}

# esp_settle "CLIENTS": the router knows both SPIs of each, and they work; for tests that
# are about what comes after. What it does not conclude from a few pings it is told. All
# are there before, as what was concluded of an only client is in doubt when others come.
esp_settle()
{
	local i

	esp_pings "$1" -c 1 -w $((500 * ${VPNPASS_SLOW:-1}))
	for i in $1; do
		esp_pings "$i" -c 4 -i 40 -w $((500 * ${VPNPASS_SLOW:-1}))
		esp_paired "$i" > "$scratch/told" || esp_told "$i" > "$scratch/told"
		esp_pings "$i" -w $((500 * ${VPNPASS_SLOW:-1})) &&
			esp_paired "$i" > /dev/null && continue
		cat "$scratch/told" "$scratch/pings"
		vp session
		return 1
	done
}
