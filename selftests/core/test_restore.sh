#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# save and restore: after the modules are loaded anew and conntrack is flushed,
# what the gateway sends first reaches its client from the first packet on; a
# stale or damaged file changes nothing; what is restored is subject to the
# firewall, the limits and the fate of its address.
#
#   c1 ---+
#   c2 ---+--- r (masquerade) ---- g1
#   c3 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool setpriv util-linux
checktool conntrack

# reload: the modules anew, conntrack empty, as after a reboot
reload()
{
	unload_modules && load_modules vpnpass vpnpass_esp && R conntrack -F
}

# from_gateway i [OPTION...]: the gateway pings client i, which has to answer all
from_gateway()
{
	"$(peer nsping)" -c 4 -i 50 -w 1000 "${@:2}" "${nsp}g1" "${GIN[1]}" "${CIN[$1]}" \
		> "$scratch/pings"
}

# strays: ESP packets that reached a client who has no SA for them
strays()
{
	echo $(($(xfrm_stat c1 XfrmInNoStates) + $(xfrm_stat c2 XfrmInNoStates) +
		$(xfrm_stat c3 XfrmInNoStates)))
}

# saved_pins: the SPIs of the sessions, as a list that can be compared
saved_pins()
{
	vp -j session | jq -c '[.[] | [.client, .peer, .local, ([.spi_out[].spi] | sort),
		([.spi_in[].spi] | sort)]] | sort'
}

# resum FILE: its last line fits again what a test has changed
resum()
{
	python3 - "$1" <<- 'END'
		import sys, zlib
		lines = open(sys.argv[1], "rb").read().splitlines(True)[:-1]
		body = b"".join(lines)
		open(sys.argv[1], "wb").write(body + b"sum %08x\n" % zlib.crc32(body))
	END
}

# refuses NAME CODE TEXT FILE: restore says TEXT, and nothing has changed
refuses()
{
	local rc before

	before=$(vp -j show | jq -c .; vp -j session | jq -c '[.[].id]')
	vp restore "$4" > "$scratch/out" 2> "$scratch/err"
	rc=$?
	if [ $rc = "$2" ] && grep -qE -- "$3" "$scratch/err"; then
		ok "refused: $1"
	else
		not_ok "refused: $1" "exit code $rc, said: $(cat "$scratch/err") (wanted $2, $3)"
	fi
	is "refused: $1: nothing changed" \
		"$(vp -j show | jq -c .; vp -j session | jq -c '[.[].id]')" "$before"
}

# changed SED: a copy of the saved file, edited, with its sum put right
changed()
{
	sed -E "$1" "$state" > "$scratch/changed"
	resum "$scratch/changed"
	echo "$scratch/changed"
}

state=$scratch/state
check "topology" topo 3 1
check "SAs" esp_up "1 2 3"
check "modules load" load_modules vpnpass vpnpass_esp
vp set esp copies 2
vp set esp timeout 1800
check "clients are paired" esp_settle "1 2"
check "save" vp save "$state"
pins=$(saved_pins)
note "$(cat "$state")"

# --- without the file nothing is known --------------------------------------------
check "reload" reload
before=$(strays)
check_fails "not restored: nobody answers the gateway" from_gateway 1
is "not restored: no session" 0 "$(sessions)"

# --- the gateway first, after a restore --------------------------------------------
check "reload" reload
check "restore" vp restore "$state"
is "the same clients and SPIs" "$(saved_pins)" "$pins"
check "a setting is as it was" vp_is '.[0].settings | .copies.value == 2 and .timeout.value == 1800' show esp
check "a setting is as it was: it expires when it would have" \
	vp_is 'all(.[]; .expires > 60 and .expires <= 1800)' session
check "taps" tap c1 c2 c3
check "client 2 answers the gateway's first packet" from_gateway 2
check "client 1 as well" from_gateway 1
is "each got its own" "4 4" \
	"$(tap_seen "^${nsp}c1 .* esp ${esp_in[1.1]} ") $(tap_seen "^${nsp}c2 .* esp ${esp_in[2.1]} ")"
is "each got its own: nobody another's" "$before" "$(strays)"
is "answers took the old SPI, no other was learned" "$(saved_pins)" "$pins"
check "client 3 starts" esp_settle 3
check "all work at once" esp_pings "1 2 3" -c 5
check "restored twice is restored" vp restore "$state"
is "nothing came of it" "$(vp -j restore "$state" | jq -c '[.sessions, .numbers, .refused]')" "[2,0,0]"

# --- clients that were faster ---------------------------------------------------------
check "reload" reload
check "client 1 starts by itself" esp_settle 1
check "restore adds to it" vp restore "$state"
is "the same clients and SPIs" "$(saved_pins)" "$pins"
check "the gateway reaches both" eval "from_gateway 1 && from_gateway 2"

# --- files that are refused -----------------------------------------------------------
refuses "cut short" 1 ":[0-9]+: the end is missing" <(head -n -1 "$state")
sed 's/timeout 1800/timeout 1900/' "$state" > "$scratch/damaged"
refuses "a digit changed" 1 ":$(grep -c . "$state"): the sum" "$scratch/damaged"
refuses "an SPI of two clients" 1 "the same as in line" \
	"$(changed "s/spi in ${esp_in[1.1]}/spi in ${esp_in[2.1]}/")"
refuses "of the future" 2 "future" "$(changed 's/^saved .*/saved 99999999999/')"
refuses "stale" 2 "stale: every session has timed out" \
	"$(changed "s/^saved .*/saved $(($(date +%s) - 1801))/")"
refuses "a setting that is out of range" 2 ":[0-9]+: .*out of range" \
	"$(changed 's/^set esp copies.*/set esp copies 999/')"
refuses "a device that is gone" 2 "no device wan9" "$(changed 's/device wan/device wan9/')"
refuses "sessions of what is switched off" 2 "switch is not on" \
	"$(changed 's/^set esp on/set esp off/')"
ip -n "${nsp}r" addr add 192.0.2.77/24 dev wan
sed "s/local 192.0.2.1/local 192.0.2.77/" "$state" > "$scratch/gone"
resum "$scratch/gone"
ip -n "${nsp}r" addr del 192.0.2.77/24 dev wan
refuses "an address that is no longer the router's" 2 "stale: the router has no address 192.0.2.77" \
	"$scratch/gone"
anybody() { R setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"; }
vp session flush > /dev/null
chmod 755 "$scratch"
anybody "$VPNPASS" save - > "$scratch/anybody" 2> "$scratch/err"
is "anybody may not save, which takes reading sessions" "2:" "$?:$(cat "$scratch/anybody")"
check "anybody may not save, which takes reading sessions: is told who may" \
	grep -q "CAP_NET_ADMIN" "$scratch/err"
anybody "$VPNPASS" restore "$state" 2> "$scratch/err"
is "anybody may not restore" "2:0" "$?:$(sessions)"
check "anybody who restores is told why not" \
	grep -q "not permitted" "$scratch/err"

# --- the firewall, the limits, the address ----------------------------------------------
check "reload" reload
check "restore" vp restore "$state"
R nft -f - <<- 'END'
	table ip fw {
		chain f {
			type filter hook forward priority 0
			ip protocol esp drop
		}
	}
END
check_fails "the firewall drops what is restored, too" from_gateway 1 -w 200
R nft delete table ip fw
check "without that rule what is restored passes" from_gateway 1
vp session flush > /dev/null
file=$(changed 's/^set esp max_sessions.*/set esp max_sessions 1/')
vp restore "$file" > "$scratch/out" 2> "$scratch/err"
is "one more than the limit is refused" "2:1" "$?:$(sessions)"
check "one more than the limit is refused: with its line" \
	grep -qE ":$(grep -n ^session "$file" | tail -n 1 | cut -d: -f1): .*limit" "$scratch/err"
num "one more than the limit is refused: counted" "$(counter limit_sessions)" -ge 1
if conntrack_room "$(conntracks)"; then
	vp restore "$state" > "$scratch/out" 2> "$scratch/err"
	is "no room in conntrack's table: refused" "2:1" "$?:$(sessions)"
	check "no room in conntrack's table: the refusal is said" \
		grep -q "conntrack's table is full" "$scratch/err"
	conntrack_room
else
	skip "no room in conntrack's table" "its size cannot be set"
fi
vp restore "$state" > /dev/null
is "room again: both sessions are restored" 2 "$(sessions)"
ip -n "${nsp}r" addr del 192.0.2.1/24 dev wan
check "with the WAN address go the restored sessions" \
	busywait 20 vp_is '. == []' session
ip -n "${nsp}r" addr add 192.0.2.1/24 dev wan

# --- the kernel does not rely on the tool ---------------------------------------------------
# raw NAME WANT WORD...: $good, and these words of session_restore.py
raw()
{
	is "kernel: $1" "$(R "$selftests/core/session_restore.py" "${good[@]}" "${@:3}" 2>&1)" "$2"
}

without()
{
	local w

	good=()
	for w in "${all[@]}"; do
		case $w in "$1"=*) ;; *) good+=("$w") ;; esac
	done
}

if python3 -c 'import yaml' 2> /dev/null; then
	all=(proto=esp "client=${CIP[3]}" "peer=${GIP[1]}" "local=$PUB" lifetime=60000)
	good=("${all[@]}")
	vp session flush > /dev/null
	for w in proto client peer local lifetime; do
		without $w
		raw "no $w" "EINVAL proto, client, peer, local and lifetime are required"
	done
	without client
	raw "half an address" "EINVAL an address has 4 (IPv4) or 16 (IPv6) bytes" client=x:0a00
	raw "an address and a half" "EINVAL an address has 4 (IPv4) or 16 (IPv6) bytes" client=x:0a0000010a00
	raw "two families" "EINVAL addresses are of different families" client=2001:db8::1
	for a in 224.0.0.1 255.255.255.255 0.0.0.0 127.0.0.1; do
		raw "client $a" "EINVAL not the address of a host" client=$a
	done
	raw "no translation" "EINVAL client, peer and local are three addresses" client="$PUB"
	without proto
	raw "no such protocol" "ENOENT no such protocol: its module is not loaded" proto=quic
	without lifetime
	raw "no life" "ERANGE value out of range" lifetime=0
	raw "too long a life" "ERANGE value out of range" lifetime=864000001
	good=("${all[@]}")
	raw "no such zone" "ERANGE no such conntrack zone" zone=65536
	raw "two zones" "EINVAL the zones of both directions differ" zone=1 zone-reply=2
	raw "no such device" "ENODEV no such device" device=nosuch
	raw "a call ID" "EINVAL not an SPI" pin=1/0/4097
	raw "a reserved SPI" "ERANGE an SPI is above 255 and has 32 bits" pin=0/1/255
	raw "33 bits" "ERANGE an SPI is above 255 and has 32 bits" pin=0/1/0x100000001
	raw "an SPI twice" "EINVAL an SPI is there twice" pin=0/1/4097 pin=0/0/4097 pin=0/1/4097
	raw "half a pin" "EINVAL a number needs its kind and direction" pin=0//4097
	mapfile -t many < <(seq -f 'pin=0/1/%.0f' 4097 4161)
	raw "65 inbound SPIs" "E2BIG more SPIs than a session keeps" "${many[@]}"
	mapfile -t many < <(seq -f 'pin=0/1/%.0f' 4097 4353)
	raw "257 numbers" "E2BIG too many numbers" "${many[@]}"
	raw "an attribute of the future" "EINVAL Unknown attribute type" 99=x:00000000
	# shellcheck disable=SC2086
	R ip xfrm state add src "${GIP[1]}" dst $PUB proto esp spi 0x7777 reqid 9 mode tunnel $esp_keys
	raw "an SA of the router's own" "EADDRINUSE the SPI of an SA of the router's own" pin=0/1/0x7777
	R ip xfrm state flush
	is "refused, so nothing was made" "0 0" "$(sessions) $(R conntrack -L -p 50 2> /dev/null | grep -c esp)"
	raw "a good one" "ok 2" pin=0/0/4097/5 pin=0/1/4098/5
	raw "and again" "ok 0" pin=0/0/4097/5 pin=0/1/4098/5
	raw "an SPI more" "ok 1" pin=0/1/4099
	without local
	raw "another address by now" "EADDRNOTAVAIL the client's session is translated otherwise by now" \
		local=192.0.2.99
	vp set esp off > /dev/null
	good=("${all[@]}")
	raw "switched off" "ESHUTDOWN the protocol is not switched on"
	vp set esp on > /dev/null
else
	skip "the kernel's own checks" "python3-yaml is missing"
fi

# --- by hand ------------------------------------------------------------------------------
printf 'set esp block\n' | vp restore - > "$scratch/out"
is "a file by hand, from standard input" "0 block" "$? $(vp -j show | jq -r '.[0].mode')"
check "modules unload" unload_modules
done_testing
