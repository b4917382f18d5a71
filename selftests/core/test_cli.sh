#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Scripts may rely on this: the tool's JSON, exit codes and the kernel's words,
# the sysctl, for root and for anybody, in this netns and in another.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool setpriv util-linux

# json NAME FILTER ARG...: exit code 0, valid JSON, FILTER holds
json()
{
	local rc

	vp -j "${@:3}" > "$scratch/out" 2> "$scratch/err"
	rc=$?
	if [ $rc = 0 ] && jq -es "length == 1 and (.[0] | $2)" "$scratch/out" > /dev/null; then
		ok "$1"
	else
		not_ok "$1" "vpnpass -j ${*:3}: exit code $rc: $(cat "$scratch/out" "$scratch/err")"
	fi
}

# refused NAME CODE TEXT COMMAND...: exit code CODE, TEXT on standard error
refused()
{
	local rc

	"${@:4}" > "$scratch/out" 2> "$scratch/err" < /dev/null
	rc=$?
	if [ $rc = "$2" ] && grep -qiE -- "$3" "$scratch/err"; then
		ok "$1"
	else
		not_ok "$1" "exit code $rc (wanted $2), said: $(cat "$scratch/err") (wanted: $3)"
	fi
	[ -z "${as_json-}" ] || check "$1: JSON" jq -e ".error.code == \"not-loaded\"" "$scratch/out"
}

# anybody COMMAND...: without any privilege, in the router's netns
anybody()
{
	R setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"
}

check "topology" topo 2 1

# --- without the module -------------------------------------------------------------
refused "no module: says which to load" 2 "modprobe vpnpass" anybody "$VPNPASS" show
as_json=1 refused "no module, -j" 2 "module" anybody "$VPNPASS" -j show
for cmd in session stats; do
	as_json=1 refused "no module, -j $cmd" 2 "module" anybody "$VPNPASS" -j $cmd
done

# --- the core alone -------------------------------------------------------------------
check "core loads" load_modules vpnpass
json "no helper: show is []" '. == []' show
json "no helper: session is []" '. == []' session
json "no helper: stats is []" '. == []' stats
check "core unloads" unload_modules
check_fails "default=nonsense is refused" load_module vpnpass default=nonsense
for mode in off block on; do
	check "core loads with default=$mode" load_module vpnpass default=$mode
	check "helper loads" load_module vpnpass_esp
	json "default=$mode: the helper begins so" ".[0].mode == \"$mode\"" show
	check "unload" unload_modules
done
check "modules load" load_modules vpnpass vpnpass_esp

# --- empty, then with sessions ----------------------------------------------------------
json "no session: []" '. == []' session
json "no session, list: []" '. == []' session list proto esp
json "show" 'length == 1 and (.[0] | .proto == "esp" and .mode == "on" and .sessions == 0 and .pins == 0)' show
json "show esp: settings have value, range and default" \
	'.[0].settings | length >= 8 and all(.[]; .value >= .min and .value <= .max and
	 .default == .value and (.unit | type) == "string")' show esp
json "stats: numbers" '.[0].counters | length >= 10 and all(.[]; type == "number")' stats
check "SAs" esp_up "1 2"
check "both clients are paired" esp_settle "1 2"
json "session: what the contract names" 'length == 2 and all(.[];
	.proto == "esp" and (.client | type) == "string" and .peer == "192.0.2.2" and
	.local == "192.0.2.1" and (.age | type) == "number" and .packets > 0 and
	.bytes > .packets and .packets == .packets_in + .packets_out and
	.bytes == .bytes_in + .bytes_out and (.id | type) == "number")' session
json "session: the SPIs of the SAs" \
	"any(.[]; .client == \"${CIP[1]}\" and .spi_out[0].spi == \"${esp_out[1.1]}\" and
	 .spi_in[0].spi == \"${esp_in[1.1]}\" and .spi_in[0].state == \"settled\")" session
json "show: sessions and pins" '.[0].sessions == 2 and .[0].pins >= 4' show
n=$(vp -j session client "${CIP[1]}" | jq '.[0].packets_out')
esp_pings 1 -c 7 -i 20
is "packets are counted one by one" 7 \
	$(($(vp -j session client "${CIP[1]}" | jq '.[0].packets_out') - n))

# --- filters ------------------------------------------------------------------------------
json "client" "length == 1 and .[0].client == \"${CIP[2]}\"" session client "${CIP[2]}"
json "peer" 'length == 2' session list peer "${GIP[1]}"
json "client and peer and proto" 'length == 1' \
	session proto esp client "${CIP[1]}" peer "${GIP[1]}"
json "nobody's client" '. == []' session client 10.9.9.9
json "nobody's peer, IPv6" '. == []' session peer 2001:db8::99
json "proto ipsec" 'length == 2' session proto ipsec
json "proto all" 'length == 2' session proto all
json "no more than a limit" 'length == 1' session proto ipsec limit 1
json "a limit that is not reached" 'length == 2' session limit 3
is "it says how many are left out" "$(vp session limit 1 | tail -n 1)" "and 1 more"

# --- settings ------------------------------------------------------------------------------
json "set a setting" 'type == "array" and .[0].setting == "timeout"' set esp timeout 1200
json "which show shows" '.[0].settings.timeout | .value == 1200 and .default == 3600' show esp
json "least value" '.[0].value == 1' set esp timeout 1
json "greatest value" '.[0].value == 864000' set esp timeout 864000
refused "below the range" 2 "out of range" vp set esp timeout 0
refused "above the range" 2 "out of range" vp set esp timeout 864001
refused "no such setting" 2 "has no setting nonsense" vp set esp nonsense 1
refused "which lists those there are" 2 "timeout.*max_sessions" vp set esp nonsense 1
refused "a helper that is not loaded" 2 "not loaded|no such protocol" anybody "$VPNPASS" set pptp on
json "refused ones changed nothing" '.[0].settings.timeout.value == 864000' show esp
# Settings of an earlier version are taken: files saved by it can be restored.
said() { vp set esp hold 0 2>&1 | grep -q "esp hold: .*ignored"; }
check "a setting that means nothing any more is taken, which is said" said
json "and not shown" '.[0].settings | has("hold") | not' show esp
printf '%s\n' "set esp pairing_window 500" "set esp copies 2" > "$scratch/old"
check "nor is a file with one refused" vp restore "$scratch/old"
json "what else is in it is done" '.[0].settings.copies.value == 2' show esp
json "set the switch" '.[0] | .proto == "esp" and .mode == "off"' set esp off
json "set all" '.[0].mode == "on"' set all on
json "set ipsec" '.[0].mode == "block"' set ipsec block
json "on again" '.[0].mode == "on"' set esp on
check "both clients are paired" esp_settle "1 2"

# --- usage ----------------------------------------------------------------------------------
for args in "set" "set esp" "set esp maybe" "set nonsense! on" "set esp timeout many" \
	    "set esp timeout -1" "set esp timeout 1 2" "session client" "session client here" \
	    "session colour red" "session limit 0" "session flush limit 1" "session client 1.2.3.4 client 1.2.3.4" "show esp esp" \
	    "stats esp esp" "monitor now" "nonsense" "-x show" "session proto" "show no/such"; do
	# shellcheck disable=SC2086
	refused "usage: vpnpass $args" 1 . vp $args
done
refused "usage: no such netns" 1 "network namespace" "$VPNPASS" -n nonsense show
for args in help "help set" "set help" -V -h "sh" "se esp on" "sess" "stat"; do
	# shellcheck disable=SC2086
	check "vpnpass $args" vp $args
done
is "abbreviated: s is show" "$(vp show)" "$(vp s)"
json "-p is JSON as well" 'length == 2' -p session

# --- rights ------------------------------------------------------------------------------------
for cmd in show stats "show esp"; do
	# shellcheck disable=SC2086
	check "anybody may: $cmd" anybody "$VPNPASS" -j $cmd
done
refused "sessions are not for anybody" 2 "CAP_NET_ADMIN" anybody "$VPNPASS" session
refused "nobody else may set" 2 "not permitted" anybody "$VPNPASS" set esp off
refused "nor a setting" 2 "not permitted" anybody "$VPNPASS" set esp timeout 5
refused "nor flush" 2 "not permitted" anybody "$VPNPASS" session flush
check_fails "anybody may not write the sysctl" anybody sh -c 'echo 0 > /proc/sys/net/vpnpass/esp'
json "and nothing was changed" '.[0] | .mode == "on" and .sessions == 2' show
in_userns() { setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn "$@"; }
# a checkout below /root is out of reach for its users
chmod 755 "$scratch"
tool=$scratch/vpnpass
install -m 755 "$VPNPASS" "$tool"
if in_userns true 2> /dev/null; then
	check "root of a user namespace may set its own netns" in_userns "$tool" set esp block
	in_userns sh -c "'$tool' set esp off; '$tool' -j show" > "$scratch/own"
	is "root of a user namespace may set its own netns: is so there" \
		off "$(jq -r '.[0].mode' "$scratch/own")"
	refused "but not another's" 2 "not permitted" \
		R setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Ur "$tool" set esp off
	json "this one is as it was" '.[0].mode == "on"' show
else
	skip "root of a user namespace" "user namespaces are closed to users here"
fi

# --- monitor, flush -----------------------------------------------------------------------------
spawn "$VPNPASS" -j -n "${nsp}r" monitor
monitor=$spawn_log monitor_pid=$spawn_pid
spawn "$VPNPASS" -n "${nsp}r" monitor
text=$spawn_log text_pid=$spawn_pid
# the first column may be "(____ptrval____)"
listening() { [ "$(R awk '$2 == 16' /proc/net/netlink | wc -l)" -ge 2 ]; }
check "monitors listen" busywait 20 listening
sleep 0.3
vp set esp copies 2 > /dev/null
json "flush one client's" '.flushed == 1' session flush client "${CIP[1]}"
json "flush what is not there" '.flushed == 0' session flush client "${CIP[1]}"
json "one is left" 'length == 1' session
json "flush all" '.flushed == 1' session flush
esp_settle 1
vp set esp off > /dev/null
vp set esp on > /dev/null
told()
{
	jq -es 'map(.event) as $e | all(["setting", "session-end", "session-new", "pinned", "mode"][];
		. as $w | any($e[]; . == $w))' "$monitor"
}
check "monitor -j tells of settings, sessions, pins and modes" busywait 20 told
is "one object a line" "$(grep -c . "$monitor")" "$(jq -c . "$monitor" | grep -c .)"
check "each with time and proto" jq -es 'all(.[]; .time > 1000000000 and .proto == "esp")' "$monitor"
check "a session's end has its counters and why" jq -es \
	'any(.[]; .event == "session-end" and .session.packets > 0 and .reason == "flushed")' "$monitor"
check "a setting has name and value" jq -es \
	'any(.[]; .event == "setting" and .setting.name == "copies" and .setting.value == 2)' "$monitor"
is "the text has as many lines" "$(grep -c . "$monitor")" "$(grep -c . "$text")"
kill -INT "$monitor_pid" 2> /dev/null
kill -TERM "$text_pid"
wait "$text_pid"
is "monitor ends well on SIGTERM" 0 $?

# --- another netns ---------------------------------------------------------------------------------
check "-n another netns" "$VPNPASS" -n "${nsp}c1" set esp block
is "has a mode of its own" block "$("$VPNPASS" -j -n "${nsp}c1" show | jq -r '.[0].mode')"
is "has a mode of its own: its sysctl" 2 "$(C 1 cat /proc/sys/net/vpnpass/esp)"
json "this one keeps its own" '.[0].mode == "on"' show
check "modules unload" unload_modules
done_testing
