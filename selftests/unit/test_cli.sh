#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The vpnpass tool without a kernel: its answers come from cli_fixture.py by
# way of cli_replay.c, what it sends is read back. Runs anywhere, needs a C
# compiler with sanitizers, libmnl and python3-yaml; touches nothing outside a
# scratch folder.
#
#   test_cli.sh -> vpnpass -> cli_replay <- file of messages <- cli_fixture.py
#                                 `-> file of requests -> cli_fixture.py decode

here=$(dirname "$(readlink -f "$0")")
top=$here/../..
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The kernel takes no part, so its log does not either.
dmesg_clean() { :; }
# shellcheck source=/dev/null
. "$top/selftests/lib/tap.sh"

python3 -c 'import yaml' 2> /dev/null || skip_all "python3-yaml is missing"
pkg-config --exists libmnl || skip_all "libmnl is missing"

export VPNPASS_REPLAY=$scratch/replies VPNPASS_SENT=$scratch/sent
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99 TZ=UTC
export PATH=$scratch/bin:$PATH
vpnpass=$scratch/vpnpass

# Nothing here may load a module: modprobe only notes that it was called.
mkdir "$scratch/bin"
cat > "$scratch/bin/modprobe" <<- 'END'
	#!/bin/sh
	echo "$*" >> "$VPNPASS_SENT.modprobe"
	exit "${MODPROBE_RC:-1}"
END
chmod +x "$scratch/bin/modprobe"

build()
{
	local files=("$here/cli_replay.c") file

	for file in "$top"/tools/*.c "$top"/tools/doctor/*.c; do
		[[ $file == */transport.c ]] || files+=("$file")
	done
	# shellcheck disable=SC2046
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -g \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-I"$top/uapi" -I"$top/tools" -DVPNPASS_VERSION='"1.2.3"' \
		-o "$vpnpass" "${files[@]}" \
		$(pkg-config --cflags --libs libmnl)
}

# run "SCENE..." ARG...: sets out, err, rc, sent, modprobe
run()
{
	local scenes=$1

	shift
	: > "$VPNPASS_SENT"
	: > "$VPNPASS_SENT.modprobe"
	: > "$VPNPASS_REPLAY"
	# shellcheck disable=SC2086
	[ -z "$scenes" ] || "$here/cli_fixture.py" $scenes > "$VPNPASS_REPLAY"
	out=$("$vpnpass" "$@" 2> "$scratch/err")
	rc=$?
	err=$(< "$scratch/err")
	sent=
	[ ! -s "$VPNPASS_SENT" ] || sent=$("$here/cli_fixture.py" decode < "$VPNPASS_SENT")
	modprobe=$(< "$VPNPASS_SENT.modprobe")
}

# query EXPR: a Python expression on d, the JSON in $out
query()
{
	python3 -c "import json, sys; d = json.load(sys.stdin); print($1)" <<< "$out" 2>&1
}

# usage NAME TEXT ARG...: a usage error that says TEXT, asks no kernel
usage()
{
	local name=$1 text=$2

	shift 2
	run "" "$@"
	is "$name: exit code, no output, no request" "$rc:$out:$sent" "1::"
	case $err in
	"vpnpass: "*"$text"*) ok "$name: message" ;;
	*) not_ok "$name: message" "got '$err', wanted '$text'" ;;
	esac
}

# refused NAME "SCENE..." FIRST-LINE-OF-STDERR ARG...: exit code 2
refused()
{
	local name=$1 scenes=$2 text=$3

	shift 3
	run "$scenes" "$@"
	is "$name: exit code" "$rc" 2
	is "$name: message" "${err%%$'\n'*}" "$text"
}

test_usage()
{
	usage "unknown command" "unknown command frob" frob
	usage "empty command" "unknown command" ""
	usage "unknown option" "unrecognized option '-x'" -x
	usage "option without its name" "option requires an argument" -n
	usage "show with too much" "too many arguments: ike" show esp ike
	usage "show with no name" "not a protocol: E$" show 'E$'
	usage "set alone" "PROTO expected" set
	usage "set without a state" "KEY VALUE expected" set esp
	usage "set with a wrong state" "not enabled" set esp enabled
	usage "set with too much" "too many arguments: x" set esp k 1 x
	usage "set with a state and more" "too many arguments: 1" set esp on 1
	usage "set with no number" "not 5s" set esp hold_time 5s
	usage "set with a negative number" "not -5" set esp hold_time -5
	usage "set with 33 bits" "not 4294967296" set esp hold_time 4294967296
	usage "session with a wrong word" "unknown word esp" session esp
	usage "session with a word cut off" "client what?" session list client
	usage "session with a wrong address" "not an IPv4 or IPv6 address: 1.2.3" \
		session client 1.2.3
	usage "session with a word twice" "peer given twice" session peer ::1 peer ::2
	usage "monitor with too much" "too many arguments: x" monitor x
	usage "help for nothing" "unknown command x" help x
	usage "no such network namespace" "network namespace nosuch" -n nosuch show
}

test_help()
{
	local command

	run "" help
	is "help: exit code" "$rc" 0
	for command in show set session stats monitor; do
		case $out in
		*"  $command "*) ok "help lists $command" ;;
		*) not_ok "help lists $command" "$out" ;;
		esac
		run "" help $command
		is "help $command" "$rc:${out%% *}:$err" "0:Usage::"
		local text=$out
		run "" $command help
		is "$command help is the same" "$rc:$out" "0:$text"
		run "" help
	done
	case $out in
	*complete*) not_ok "help hides the completion" "$out" ;;
	*) ok "help hides the completion" ;;
	esac
	run "" -V
	is "version" "$rc:$out" "0:vpnpass 1.2.3"
	run "" -j -V
	is "version in JSON" "$(query 'd["version"]')" 1.2.3
}

test_abbreviations()
{
	run "family protos" s
	is "s means show" "$sent" "dump proto-get"
	run "family sessions" se
	is "se means set" "$rc" 1
	run "family sessions" ses l p esp
	is "ses l p is session list proto" "$rc:$sent" "2:dump proto-get"
	run "family sessions" ses c 192.0.2.1
	is "ses c is session client" "$sent" "dump session-get client=192.0.2.1"
	run "family protos" st
	is "st means stats" "${out%% *}:$sent" "PROTO:dump proto-get"
	run "family flushed" -jx ses f
	is "wrong bundle of options" "$rc" 1
	run "family flushed" -jp ses f
	is "bundle of options" "$(query 'd["flushed"]')" 3
	run "family protos"
	is "no command is show" "$rc:$sent" "0:dump proto-get"
	run "family protos" set es on
	is "protocols are not abbreviated" "$rc" 1
}

test_show()
{
	run "family protos" show
	is "show" "$rc:$out:$err" "0:PROTO  MODE  SESSIONS  PINS
esp    on           2     4
ike    off          0     0:"
	run "family protos" show esp
	is "show esp has its settings" "$rc:$out" "0:PROTO  MODE  SESSIONS  PINS
esp    on           2     4
    hold_time                  1500 ms        0..10000, default 2000
    strict                        0           0..10000, default 2000"
	run "family protos" -j show
	is "show in JSON" "$(query '[(p["proto"], p["mode"], p["sessions"], p["pins"]) for p in d]')" \
		"[('esp', 'on', 2, 4), ('ike', 'off', 0, 0)]"
	is "settings in JSON" "$(query 'sorted(d[0]["settings"]["hold_time"].items())')" \
		"[('default', 2000), ('max', 10000), ('min', 0), ('unit', 'ms'), ('value', 1500)]"
	is "JSON is one line" "$(wc -l <<< "$out")" 1
	run "family protos" -j -p show ipsec
	is "pretty JSON, a group" "$(query 'len(d)'):$(sed -n 3p <<< "$out")" \
		'2:        "proto": "esp",'
	run "family noprotos" show
	is "nothing loaded" "$rc:$out:${err%% (*}" "0::vpnpass: no protocol is loaded"
	run "family noprotos" -j show
	is "nothing loaded, JSON" "$rc:$out" "0:[]"
	run "family newproto" show quic
	is "protocol and mode of the future" "$(sed -n 2p <<< "$out")" \
		"quic   unknown         2     4"
	run "family bareproto" show
	is "missing attributes" "$(sed -n 2p <<< "$out")" "esp    -            -     -"
	run "family bareproto" -j show
	is "missing attributes, JSON" "$(query 'sorted(d[0])')" "['proto', 'settings']"
	run "family wrongsizes" -j show
	is "attributes of a wrong size" "$rc:$(query 'sorted(d[0])')" "0:['proto', 'settings']"
}

test_stats()
{
	run "family protos" stats esp
	is "stats" "$rc:$out" "0:PROTO  COUNTER            VALUE
esp    pinned     1099511627776
esp    malformed              0"
	run "family protos" -j stats
	is "stats in JSON" "$(query 'd')" "[{'proto': 'esp', 'counters': {'pinned': 1099511627776, \
'malformed': 0}}, {'proto': 'ike', 'counters': {'pinned': 1099511627776, 'malformed': 0}}]"
	run "family noprotos" -j stats all
	is "no stats in JSON" "$rc:$out" "0:[]"
}

test_session()
{
	run "family sessions" session
	is "session" "$rc:$out" "0:\
PROTO  CLIENT        PEER           AGE  IDLE  PACKETS  BYTES  STATE
esp    192.168.1.10  203.0.113.5  1h02m    0s     1234   1.2M  paired
    local 198.51.100.1  spi out 0xc0000001 0x000000c2  spi in 0xd0000001?
pptp   2001:db8::10  203.0.113.5  1h02m    0s     1234   1.2M  paired
    local 198.51.100.1  call-id out 5>9  ike-spi out 0x1122334455667788
    tunnel-id in 6  session-id in 7"
	run "family manypins" session
	is "a session fits 80 columns" "$(awk 'length > 80' <<< "$out")" ""
	run "family nosessions" -j session
	is "no session, JSON" "$rc:$out" "0:[]"
	run "family nosessions" session
	is "no session" "$rc:$out" "0:"
	run "family baresession" -j session
	is "missing attributes of a session" "$(query 'd')" "[{'proto': 'esp'}]"
	run "family torn onesession" -j session
	is "an interrupted dump is repeated" "$(query '[s["client"] for s in d]'):$sent" \
		"['192.168.1.10']:dump session-get
dump session-get"
	run "family foreign onesession" -j session
	is "replies to others are passed over" "$(query '[s["client"] for s in d]')" \
		"['192.168.1.10']"
	run "family truncated onesession" -j session
	is "a message cut short is passed over" "$(query 'd[-1]["client"]')" 192.168.1.10
	run "family evil" session
	is "nothing steers the terminal" "$(LC_ALL=C tr -d '[:print:]\n' <<< "$out")" ""
	run "family evil" -j session
	is "nothing breaks JSON" "$(query 'ascii(d[0]["proto"] + d[0]["state"])')" \
		"'e\\x1b[31m\"\\\\\\n\\ufffd\\xe4'"
}

test_session_json()
{
	run "family sessions" -j session
	is "session in JSON" "$(query '[d[0][k] for k in ("id", "proto", "client", "peer", "local",
		"state", "age", "idle")]')" \
		"[7, 'esp', '192.168.1.10', '203.0.113.5', '198.51.100.1', 'paired', 3723.456, 0.25]"
	is "counts in JSON" "$(query '[d[0][a + b] for a in ("packets", "bytes")
		for b in ("", "_out", "_in")]')" "[1234, 1000, 234, 1234567, 1000000, 234567]"
	is "SPIs in JSON" "$(query '[[(p["spi"], p["state"], p["idle"]) for p in d[0][k]]
		for k in ("spi_out", "spi_in")]')" \
		"[[('0xc0000001', 'settled', 1.25), ('0x000000c2', 'settled', 1.25)], \
[('0xd0000001', 'tentative', 1.25)]]"
	is "other numbers in JSON" "$(query '[(k, [(p["dir"], p.get("number"), p.get("nat"),
		p.get("spi")) for p in d[1][k]]) for k in ("call_id", "ike_spi", "tunnel_id",
		"session_id")]')" "[('call_id', [('out', 5, 9, None)]), \
('ike_spi', [('out', None, None, '0x1122334455667788')]), \
('tunnel_id', [('in', 6, None, None)]), ('session_id', [('in', 7, None, None)])]"
}

test_filters()
{
	run "family protos sessions" session list proto esp client 192.0.2.1 peer 2001:db8::1
	is "filters" "$sent" "dump proto-get
dump session-get proto=esp client=192.0.2.1 peer=2001:db8::1"
	run "family protos onesession onesession" -j session proto ipsec
	is "a group asks for each" "$(query 'len(d)'):$sent" "2:dump proto-get
dump session-get proto=esp
dump session-get proto=ike"
	run "family onesession" session proto all
	is "all asks once" "$sent" "dump session-get"
	run "family flushed" session flush client 192.0.2.1
	is "flush" "$rc:$out:$sent" "0:3 sessions ended:do session-flush client=192.0.2.1"
	run "family protos flushed flushed" -j session flush proto ipsec
	is "flush of a group, JSON" "$rc:$(query 'd["flushed"]')" 0:6
}

test_set()
{
	run "family protos ok" set esp block
	is "set block" "$rc:$out:$err:$sent" "0:::dump proto-get
do proto-set name=esp mode=2"
	run "family protos ok" set esp off
	is "set off" "${sent##*$'\n'}" "do proto-set name=esp mode=0"
	run "family protos ok" set esp hold_time 250
	is "set a setting" "${sent##*$'\n'}" "do proto-set name=esp setting={name=hold_time value=250}"
	run "family protos ok ok" -j set ipsec on
	is "set ipsec" "$rc:$sent" "0:dump proto-get
do proto-set name=esp mode=1
do proto-set name=ike mode=1"
	is "set in JSON" "$(query 'd')" \
		"[{'proto': 'esp', 'mode': 'on'}, {'proto': 'ike', 'mode': 'on'}]"
	run "family protos ok ok" set all block
	is "set all skips what is not loaded" "$rc:$(wc -l <<< "$sent")" 0:3
	refused "set all with nothing loaded" "family noprotos" \
		"vpnpass: no protocol is loaded (load one with: modprobe vpnpass_esp)" set all on
}

test_refusals()
{
	refused "unprivileged set" "family protos eperm" "vpnpass: Operation not permitted" \
		set esp on
	case $err in
	*CAP_NET_ADMIN*) ok "unprivileged set: advice" ;;
	*) not_ok "unprivileged set: advice" "$err" ;;
	esac
	refused "unprivileged flush" "family eperm" "vpnpass: Operation not permitted" \
		session flush
	refused "wrong key" "family protos nosetting" \
		"vpnpass: esp: no such setting (attribute setting.name)" set esp foo 1
	is "wrong key: the right ones" "${err#*$'\n'}" "Settings of esp: hold_time strict"
	refused "wrong value" "family protos badvalue" \
		"vpnpass: esp: value out of range (attribute setting.value)" set esp hold_time 1
	refused "error without words" "family protos plainerror" \
		"vpnpass: esp: Device or resource busy" set esp on
	refused "error at the end of a dump" "family doneerror" \
		"vpnpass: table is being resized" -j session
	is "JSON is valid after an error" "$out" "[]"
	refused "error cut short" "family emptyack" "vpnpass: Bad message" -j show
	is "JSON is valid after that" "$out" "[]"
	refused "connection lost" "family" "vpnpass: No data available" show
}

test_missing()
{
	refused "module missing" nofamily \
		"vpnpass: kernel module not loaded (load it with: modprobe vpnpass_esp)" show
	refused "module missing, pptp wanted" nofamily \
		"vpnpass: kernel module not loaded (load it with: modprobe vpnpass_pptp)" \
		-j set pptp on
	is "module missing: JSON" "$out" "[]"
	refused "module missing for monitor" nofamily \
		"vpnpass: kernel module not loaded (load it with: modprobe vpnpass_esp)" monitor
	refused "protocol missing" "family protos" \
		"vpnpass: natt: protocol not loaded (load it with: modprobe vpnpass_ike)" \
		show natt
	refused "group missing" "family pptp" "vpnpass: ipsec: protocol not loaded \
(load it with: modprobe -a vpnpass_ike vpnpass_esp)" set ipsec on
	run "family protos" set quic on
	is "no such protocol" "$rc:${err%% (*}" "1:vpnpass: quic: no such protocol"
	run nofamily set quic on
	is "no such protocol, no module" "$rc:${err%% (*}" "1:vpnpass: quic: no such protocol"
}

test_loading()
{
	if [ "$(id -u)" != 0 ]; then
		run nofamily show
		is "modules are not loaded unless root" "$modprobe" ""
		skip "loading modules" "not root"
		return
	fi
	export MODPROBE_RC=0
	run "nofamily family noprotos protos" show esp
	is "root loads core and helper" "$rc:$modprobe" "0:-q vpnpass
-q vpnpass_esp"
	run "nofamily family protos" show
	is "without a protocol only the core" "$rc:$modprobe" "0:-q vpnpass"
	run "family protos" set pptp on
	is "a helper that does not come up" "$rc:$modprobe" "2:-q vpnpass_pptp"
	run "family protos ok" set esp on
	is "nothing is loaded without need" "$modprobe" ""
	run "family noprotos" complete set pptp ""
	is "completion loads nothing" "$modprobe" ""
	unset MODPROBE_RC
	run "" -n /proc/self/ns/net help
	is "a network namespace by its path" "$rc" 0
}

test_monitor()
{
	run "family events" monitor
	is "monitor" "$rc:$(sed '4s/^[0-9:.]*/now/' <<< "$out")" "0:\
01:00:01.000 esp  mode        block
01:00:01.000 esp  setting     hold_time 5
01:00:01.000 esp  pinned      192.168.1.10 > 203.0.113.5 spi in 0xd0000001
now -    overrun     (events were lost)
01:00:01.000 esp  session-end 192.168.1.10 > 203.0.113.5 (quote \" and?tab)
01:00:01.000 -    unknown"
	run "family events" -j -p monitor
	out=[$(paste -sd, <<< "$out")]
	is "monitor in JSON, one object a line" "$(query '[e["event"] for e in d]')" \
		"['mode', 'setting', 'pinned', 'overrun', 'session-end', 'unknown']"
	is "all have a time" "$(query '[e["time"] > 3600 for e in d]')" \
		"[True, True, True, True, True, True]"
	is "what they tell" "$(query '[d[0]["mode"], d[1]["setting"], d[2]["pin"]["spi"],
		d[2]["session"]["client"], d[4]["reason"]]')" \
		"['block', {'name': 'hold_time', 'value': 5}, '0xd0000001', '192.168.1.10', \
'quote \" and\\ttab']"
}

# Out of a pipe that stays open: each line is there at once, SIGINT ends it.
test_monitor_live()
{
	local pid tries

	rm -f "$VPNPASS_REPLAY"
	mkfifo "$VPNPASS_REPLAY"
	exec 9<> "$VPNPASS_REPLAY"
	"$here/cli_fixture.py" family mode >&9
	"$vpnpass" -j monitor > "$scratch/live" &
	pid=$!
	for ((tries = 0; tries < 200; tries++)); do
		[ ! -s "$scratch/live" ] || break
		sleep 0.05
	done
	out=$(< "$scratch/live")
	is "an event is written at once" "$(query 'd["event"]')" mode
	kill -INT $pid
	wait $pid
	is "SIGINT ends monitor" "$?" 0
	exec 9>&-
	rm -f "$VPNPASS_REPLAY"
}

# words "SCENE..." WORD...: what completion offers, on one line
words()
{
	run "$1" complete -- "${@:2}"
	out=$(sort -u <<< "$out" | paste -sd' ')
}

test_completion()
{
	words "" ""
	is "completion of commands" "$out" "doctor help monitor restore save session set show stats"
	words "" -
	is "completion of options" "$out" "-help -json -netns -pretty -version"
	words "family newproto" -j show ""
	is "completion of protocols" "$out" "all esp ike ipsec l2tp natt pptp quic"
	words "family protos" set esp ""
	is "completion of states and settings" "$out" "block hold_time off on strict"
	words "family protos" set esp h
	is "completion of a beginning" "$out" "hold_time"
	words "" session ""
	is "completion of words" "$out" "client flush list peer proto"
	words "family sessions" session client ""
	is "completion of clients" "$out" "192.168.1.10 2001:db8::10"
	words nofamily set esp ""
	is "completion without a module" "$rc:$out:$err" "0:block off on:"
	run "" complete
	is "completion of nothing" "$rc:$out" "0:"

	"$here/cli_fixture.py" family protos > "$VPNPASS_REPLAY"
	# shellcheck disable=SC2030,SC1091
	out=$(. "$top/tools/vpnpass.bash-completion"
		COMP_WORDS=("$vpnpass" -j set esp o) COMP_CWORD=4
		_vpnpass
		echo "${COMPREPLY[*]}")
	is "completion in bash" "$out" "on off"
}

# documented NAME: every line of $out is in the man page as it is
documented()
{
	local line missing=

	while IFS= read -r line; do
		grep -qxF -e "$line" "$top/tools/vpnpass.8" || missing+=$line$'\n'
	done <<< "$out"
	is "man page shows: $1" "$missing" ""
}

test_man()
{
	run "family protoson" show
	documented "show"
	run "family onesession" session peer 203.0.113.5
	documented "session"
	run "family flushed" session flush client 192.168.1.10
	documented "session flush"
	if command -v mandoc > /dev/null; then
		is "mandoc -Tlint" "$(mandoc -Tlint "$top/tools/vpnpass.8" 2>&1 |
			grep -v "mandoc.db\|Xr vpnpass")" ""
	else
		skip "mandoc -Tlint" "mandoc is missing"
	fi
}

# mutations COUNT SCENE ARG...: replies with bytes changed; no crash, no
# exit code but 0 and 2, and always JSON, which is checked for all at once
mutations()
{
	local count=$1 scene=$2 seed rc bad=

	shift 2
	: > "$scratch/json"
	"$here/cli_fixture.py" mutate "$scratch/mutant" "$count" family "$scene"
	for ((seed = 0; seed < count; seed++)); do
		VPNPASS_REPLAY=$scratch/mutant.$seed "$vpnpass" -j "$@" \
			>> "$scratch/json" 2> "$scratch/err"
		rc=$?
		[[ $rc == [02] ]] || bad+=" $seed:$rc"
	done
	is "$count mutations of $scene" "$bad" ""
	out="[$(paste -sd, "$scratch/json")]"
	is "all gave JSON" "$(query 'len(d)')" "$count"
}

check "the tool builds with sanitizers" build || { done_testing; exit 1; }
check "generated files are current" "$top/uapi/generate.py" --check
test_usage
test_help
test_abbreviations
test_show
test_stats
test_session
test_session_json
test_filters
test_set
test_refusals
test_missing
test_loading
test_monitor
test_monitor_live
test_completion
test_man
mutations 200 sessions session
mutations 200 protos show
done_testing
