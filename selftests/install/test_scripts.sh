#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The scripts that the pages run: a change that outlives a restart, and a command of the
# doctor's and no other. The tool is a stub. Under busybox too, as on OpenWrt.
# run: host
. "$(dirname "$0")/../lib.sh"
packaging=$selftests/../packaging
mkdir "$scratch/bin"
export PATH=$scratch/bin:$PATH CONF=$scratch/vpnpass.conf calls=$scratch/calls found=$scratch/found

cat > "$scratch/bin/vpnpass" <<'E2'
#!/bin/sh
echo "$*" >> "$calls"
case $2 in
doctor) cat "$found"; exit 3 ;;
esac
exit "${refused:-0}"
E2
chmod +x "$scratch/bin/vpnpass"

# persisted CONF-TEXT WORD...: what the file has afterwards
persisted()
{
	printf '%s\n' "$1" > "$CONF"
	$shell "$packaging/persist" "${@:2}" > /dev/null 2> "$scratch/err"
	echo $? > "$scratch/rc"
	paste -sd';' "$CONF"
}

remedy()
{
	$shell "$packaging/remedy" "$@" > "$scratch/out" 2>&1
}

cases()
{
	local name=$1 shell="${*:2}"

	if [ -n "$shell" ] && ! command -v "$2" > /dev/null; then
		skip "$name" "not installed"
		return
	fi
	: > "$calls"
	is "$name: a switch is changed where it stands" \
		"$(persisted $'# home\nset esp on  # keep\nset pptp on' esp block)" "# home;set esp block;set pptp on"
	is "$name: and now" "$(cat "$calls")" "-j set esp block"
	is "$name: after a line that covers it, a line is added" \
		"$(persisted $'set esp on\nset ipsec on' esp off)" "set esp on;set ipsec on;set esp off"
	is "$name: a group over its parts" \
		"$(persisted $'set ipsec on\nset ike off' ipsec block)" "set ipsec on;set ike off;set ipsec block"
	is "$name: a new protocol" "$(persisted "set esp on" l2tp off)" "set esp on;set l2tp off"
	is "$name: a setting" "$(persisted $'set esp on\nset esp strict 0' esp strict 1)" \
		"set esp on;set esp strict 1"
	is "$name: what is refused is not written" \
		"$(refused=2 persisted "set esp on" esp strict 9):$(cat "$scratch/rc")" "set esp on:2"
	is "$name: no other words get into the file" \
		"$(persisted "set esp on" esp $'off\nset pptp on'):$(cat "$scratch/rc")" "set esp on:1"
	rm "$CONF"
	check "$name: without a file one is made" $shell "$packaging/persist" esp off
	is "$name: with that line, for all to read" "$(cat "$CONF"):$(stat -c %a "$CONF")" "set esp off:644"

	cat > "$found" <<- END
	[{"finding":"a [b]","seen":"touch $scratch/no","do":"x","commands":["touch '$scratch/a b'",
	"echo \\"one]\\" \\\\ two"]},{"finding":"c","seen":"y","commands":[],"do":"touch $scratch/no"}]
	END
	: > "$calls"
	check "$name: a command that doctor advises is run" remedy "touch '$scratch/a b'" 192.0.2.1
	check "$name: as it stands" test -e "$scratch/a b"
	is "$name: doctor was asked about the same gateway" "$(cat "$calls")" "-j doctor 192.0.2.1"
	check "$name: one with quotes and brackets" remedy 'echo "one]" \ two'
	check_fails "$name: another is not" remedy "touch $scratch/no"
	check_fails "$name: part of one is not" remedy "touch"
	check_fails "$name: a host is not an option" remedy "touch '$scratch/a b'" -n
	check "$name: nothing was run" test ! -e "$scratch/no"
	rm -f "$scratch/a b"

	: > "$calls"
	is "$name: doctor is asked about one gateway" \
		"$($shell "$packaging/examine" vpn.example | head -c 20):$(cat "$calls")" \
		'[{"finding":"a [b]",:-j doctor vpn.example'
	: > "$calls"
	for words in "" -n "--watch" "probe 192.0.2.1" "a b" 'a;b' "192.0.2.1 from 10.0.0.1"; do
		# shellcheck disable=SC2086
		is "$name: doctor is not asked by words: $words" "$($shell "$packaging/examine" $words)" \
			'{"error":{"text":"one host expected","code":"usage"}}'
	done
	is "$name: doctor was asked nothing" "$(cat "$calls")" ""
}

cases sh
cases busybox busybox ash
done_testing
