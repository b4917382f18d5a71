# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Native ESP with SAs set by hand, as two peers would have after IKE without
# NAT-T: the client's outer address is its own, the gateway sees the router's.

esp_keys="enc cbc(aes) 0x000102030405060708090a0b0c0d0e0f"
esp_keys+=" auth hmac(sha256) 0x000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"
# by "i.j" (client, gateway): the newest SPIs out of and into the client, and
# the inbound ones that an earlier rekey left alive
declare -A esp_out=() esp_in=() esp_old=()
declare -A esp_batch=()

# esp_random: a new SPI in $esp_spi (above the reserved 0..255, RFC 4303 2.1)
esp_random()
{
	esp_spi=$((256 + (RANDOM << 15 | RANDOM) * 3 + RANDOM % 3))
	printf -v esp_spi '0x%08x' $esp_spi
}

# esp_ends i j: outer addresses in $e_c (client), $e_g (gateway), $e_p (public)
esp_ends()
{
	if [ -n "${esp6-}" ]; then
		e_c=${CIP6[$1]} e_g=${GIP6[$2]} e_p=$PUB6 e_f="flag af-unspec"
	else
		e_c=${CIP[$1]} e_g=${GIP[$2]} e_p=$PUB e_f=
	fi
}

esp_state()
{
	esp_batch[$1]+="xfrm state add src $2 dst $3 proto esp spi $4 reqid $5"
	esp_batch[$1]+=" mode tunnel $e_f $esp_keys"$'\n'
}

# esp_policy NS i j OUTER-LOCAL: what both peers say about the inner addresses
esp_policies()
{
	local i=$1 j=$2 t="proto esp reqid $1 mode tunnel"

	esp_batch[c$i]+="xfrm policy add dir out src ${CIN[i]}/32 dst ${GIN[j]}/32"
	esp_batch[c$i]+=" tmpl src $e_c dst $e_g $t"$'\n'
	esp_batch[c$i]+="xfrm policy add dir in src ${GIN[j]}/32 dst ${CIN[i]}/32"
	esp_batch[c$i]+=" tmpl src $e_g dst $e_c $t"$'\n'
	esp_batch[c$i]+="route add ${GIN[j]}/32 via ${CIP[i]%.2}.1 src ${CIN[i]}"$'\n'
	esp_batch[g$j]+="xfrm policy add dir in src ${CIN[i]}/32 dst ${GIN[j]}/32"
	esp_batch[g$j]+=" tmpl src $e_p dst $e_g $t"$'\n'
	esp_batch[g$j]+="xfrm policy add dir out src ${GIN[j]}/32 dst ${CIN[i]}/32"
	esp_batch[g$j]+=" tmpl src $e_g dst $e_p $t"$'\n'
}

esp_commit()
{
	local ns rc=0

	for ns in "${!esp_batch[@]}"; do
		ip -n "$nsp$ns" -batch - <<< "${esp_batch[$ns]}" || rc=1
	done
	esp_batch=()
	return $rc
}

esp_modules()
{
	modprobe -qa esp4 esp6 xfrm_user authenc cbc aesni_intel sha256_ssse3 sha256_generic
	return 0
}

# need_esp: skips the script on a kernel without it; after topo
need_esp()
{
	local sa="src 127.0.0.9 dst 127.0.0.9 proto esp spi 0x1001"

	esp_modules
	# shellcheck disable=SC2086
	R ip xfrm state add $sa mode tunnel $esp_keys 2> /dev/null ||
		skip_all "this kernel has no ESP"
	# shellcheck disable=SC2086
	R ip xfrm state delete $sa
}

# esp_up "CLIENTS" [j [OUT IN]]: SAs of these clients with gateway j (1), SPIs
# at random unless given; esp6=1 for IPv6 outside. No packet is sent.
esp_up()
{
	local i j=${2:-1} out=${3-} in=${4-}

	esp_modules
	for i in $1; do
		esp_ends "$i" "$j"
		esp_random
		esp_out[$i.$j]=${out:-$esp_spi}
		esp_random
		esp_in[$i.$j]=${in:-$esp_spi}
		esp_state "c$i" "$e_c" "$e_g" "${esp_out[$i.$j]}" "$i"
		esp_state "c$i" "$e_g" "$e_c" "${esp_in[$i.$j]}" "$i"
		esp_state "g$j" "$e_p" "$e_g" "${esp_out[$i.$j]}" "$i"
		esp_state "g$j" "$e_g" "$e_p" "${esp_in[$i.$j]}" "$i"
		esp_policies "$i" "$j"
	done
	esp_commit
}

# esp_rekey i [j [client|gateway]]: new SPIs both ways. Inbound SAs come first
# and the old ones stay (esp_expire), outbound ones are swapped: as IKE does it,
# no packet has to be lost. The last word says who swaps first (the client).
esp_rekey()
{
	local i=$1 j=${2:-1} first=${3:-client} oldout newout newin

	oldout=${esp_out[$i.$j]}
	esp_ends "$i" "$j"
	esp_random; newout=$esp_spi
	esp_random; newin=$esp_spi
	esp_state "c$i" "$e_g" "$e_c" "$newin" "$i"
	esp_state "g$j" "$e_p" "$e_g" "$newout" "$i"
	esp_commit || return 1
	esp_swap() {
		if [ "$1" = client ]; then
			esp_state "c$i" "$e_c" "$e_g" "$newout" "$i"
			esp_batch[c$i]+="xfrm state delete src $e_c dst $e_g proto esp spi $oldout"
		else
			esp_state "g$j" "$e_g" "$e_p" "$newin" "$i"
			esp_batch[g$j]+="xfrm state delete src $e_g dst $e_p proto esp"
			esp_batch[g$j]+=" spi ${esp_in[$i.$j]}"
		fi
		esp_commit
	}
	esp_swap "$first" || return 1
	case $first in
	client) esp_swap gateway ;;
	*) esp_swap client ;;
	esac || return 1
	esp_old[$i.$j]+=" ${esp_in[$i.$j]}/$oldout"
	esp_out[$i.$j]=$newout
	esp_in[$i.$j]=$newin
}

# esp_expire i [j]: deletes the inbound SAs that rekeys left on both sides
esp_expire()
{
	local i=$1 j=${2:-1} pair

	esp_ends "$i" "$j"
	for pair in ${esp_old[$i.$j]-}; do
		esp_batch[c$i]+="xfrm state delete src $e_g dst $e_c proto esp spi ${pair%/*}"$'\n'
		esp_batch[g$j]+="xfrm state delete src $e_p dst $e_g proto esp spi ${pair#*/}"$'\n'
	done
	esp_old[$i.$j]=
	esp_commit
}

# peer NAME: prints where that program of selftests/peers was built
peer()
{
	[ -x "$selftests/peers/bin/$1" ] || make -s -C "$selftests/peers" >&2 || return 1
	echo "$selftests/peers/bin/$1"
}

# esp_pings "CLIENTS" [NSPING-OPTION...]: pings gateway $esp_gw (1) through the
# tunnels, all clients at the same moment; one line a client in $scratch/pings:
#   NAMESPACE FROM TO sent N received N first MS gap N dup N
# Fails unless each client had every answer.
esp_pings()
{
	local i j=${esp_gw:-1} list=()

	for i in $1; do
		list+=("${nsp}c$i" "${CIN[i]}" "${GIN[j]}")
	done
	shift
	"$(peer nsping)" "$@" "${list[@]}" > "$scratch/pings"
}

# esp_ping i [COUNT]: prints how many of COUNT (3) pings were answered
esp_ping()
{
	esp_pings "$1" -c "${2:-3}" -i 200 -w 2000
	awk '{ print $7 }' "$scratch/pings"
}

# esp_answered: how many clients of the last esp_pings had any answer
esp_answered()
{
	awk '$7 > 0 { n++ } END { print n + 0 }' "$scratch/pings"
}

# esp_lost: how many answers of the last esp_pings are missing, all clients
esp_lost()
{
	awk '{ n += $5 - $7 } END { print n + 0 }' "$scratch/pings"
}

# xfrm_stat NS COUNTER: e.g. xfrm_stat c1 XfrmInNoStates
xfrm_stat()
{
	ip netns exec "$nsp$1" awk -v k="$2" '$1 == k { print $2 }' /proc/net/xfrm_stat
}
