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
unset COLUMNS NO_COLOR
vpnpass=$scratch/vpnpass

# Nothing here may load a module: modprobe only notes that it was called.
mkdir "$scratch/bin"
cat > "$scratch/bin/modprobe" <<- 'END'
	#!/bin/sh
	echo "$*" >> "$VPNPASS_SENT.modprobe"
	exit "${MODPROBE_RC:-1}"
END
chmod +x "$scratch/bin/modprobe"

sources=("$here/cli_replay.c")
while read -r file; do
	[[ $file == */transport.c ]] || sources+=("$file")
done < <(find "$top/tools" -name '*.c' | sort)

build()
{
	# shellcheck disable=SC2046
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -g \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-I"$top/uapi" -I"$top/tools" -DVPNPASS_VERSION='"1.2.3"' \
		-o "$vpnpass" "${sources[@]}" \
		$(pkg-config --cflags --libs libmnl)
}

# replies "SCENE...": what the kernel will say; each conversation is made once
replies()
{
	local file="$scratch/scenes/${1:-none}"

	if [ ! -e "$file" ]; then
		mkdir -p "$scratch/scenes"
		: > "$file"
		# shellcheck disable=SC2086
		[ -z "$1" ] || "$here/cli_fixture.py" $1 > "$file"
	fi
	cat "$file" > "$VPNPASS_REPLAY"
}

# run "SCENE..." ARG...: sets out, err, rc, sent, modprobe
run()
{
	local scenes=$1

	shift
	: > "$VPNPASS_SENT"
	: > "$VPNPASS_SENT.modprobe"
	replies "$scenes"
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
	case " $* " in
	*" -j "* | *" -jp "*) is "$name: exit code, JSON, no request" \
		"$rc:$(query 'd["error"]["code"]'):$sent" "1:usage:" ;;
	*) is "$name: exit code, no output, no request" "$rc:$out:$sent" "1::" ;;
	esac
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
	usage "monitor with a wrong word" "unknown word x" monitor x
	usage "monitor of a wrong event" "unknown event sesion-new (did you mean session-new?)" \
		monitor type sesion-new
	usage "top with no time" "interval: a number from 1 to 3600 expected, not 0" top interval 0
	usage "top with no number" "count what?" top count
	usage "colours that there are not" "always, never or auto expected, not blue" -c=blue show
	usage "a command mistyped" "unknown command shwo (did you mean show?)" shwo
	usage "a state mistyped" "not onn (did you mean on?)" set esp onn
	usage "a word mistyped" "unknown word cleint (did you mean client?)" session cleint ::1
	usage "a word of top's mistyped" "unknown word intervall (did you mean interval?)" \
		top intervall 1
	usage "what only another command has" $'unknown word lits\n' top lits
	usage "a command mistyped after help" "unknown command shwo (did you mean show?)" help shwo
	usage "an option mistyped" "unrecognized option '--jsno' (did you mean -json?)" --jsno show
	usage "a command's option mistyped" "unknown option --chek (did you mean --check?)" \
		restore --chek x
	usage "a service mistyped" "did you mean ike?" doctor probe ::1 ikee
	usage "a word like no other" "unknown word nothing" -j session nothing
	usage "save alone" "FILE expected" save
	usage "save with too much" "too many arguments: y" save x y
	usage "save as JSON to standard output" "name a file" -j save -
	usage "restore alone" "FILE expected" restore
	usage "restore with too much" "too many arguments: y" restore x y
	usage "restore without the file" "No such file" restore /nonexistent/file
	usage "stats in two formats" "exclude each other" -j stats --prometheus
	usage "help for nothing" "unknown command x" help x
	usage "no such network namespace" "network namespace nosuch" -n nosuch show
	usage "show in capitals" "known: pptp l2tp ike natt esp ipsec all" show PPTP
	usage "an option after the command" "-p: options come before the command" show -p
	usage "one of monitor's" "-ts: options come before the command" monitor -ts
	usage "an option after more words" "--json: options come before" session flush --json
	usage "doctor probe alone" "HOST expected after: probe" doctor probe
	usage "doctor with a wrong word" "unknown word: now" doctor ::1 now
	usage "probe without a number" "SECONDS expected after: timeout" doctor probe ::1 timeout
	usage "probe of what there is not" "known: ike natt iketcp pptp l2tp openvpn" doctor probe ::1 sstp
}

test_help()
{
	local command word

	run "" help
	is "help: exit code" "$rc" 0
	for command in show set session stats monitor top doctor save restore; do
		case $out in
		*"  $command "*) ok "help lists $command" ;;
		*) not_ok "help lists $command" "$out" ;;
		esac
		run "" help $command
		is "help $command" "$rc:${out%% *}:$err" "0:Usage::"
		local text=$out
		run "" $command help
		is "$command help is the same" "$rc:$out" "0:$text"
		for word in -h -help --help; do
			run "" $command $word
			is "$command $word too" "$rc:$out" "0:$text"
		done
		run "" -h $command
		is "-h $command too" "$rc:$out" "0:$text"
		run "" help
	done
	case $out in
	*complete*) not_ok "help hides the completion" "$out" ;;
	*) ok "help hides the completion" ;;
	esac
	run "" -V
	is "version" "$rc:$out" "0:vpnpass 1.2.3"
	run "" -j help
	is "help in JSON" "$(query '[c["command"] for c in d]')" \
		"['show', 'set', 'session', 'stats', 'monitor', 'top', 'doctor', 'save', 'restore', 'help']"
	run "" -j set help
	is "help for one in JSON" "$(query 'd[0]["usage"]')" \
		"['vpnpass set PROTO on|off|block', 'vpnpass set PROTO KEY VALUE']"
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

# saved_file LINE...: $scratch/file with these lines and the sum of them
saved_file()
{
	printf '%s\n' "$@" > "$scratch/file"
	printf 'sum %s\n' "$(python3 -c 'import sys, zlib
print("%08x" % zlib.crc32(open(sys.argv[1], "rb").read()))' "$scratch/file")" >> "$scratch/file"
}

test_save()
{
	local now sum

	run "family protos learned" save -
	now=$(sed -n 's/^saved //p' <<< "$out")
	is "save: exit code, nothing said" "$rc:$err" "0:"
	is "save" "$(grep -v '^#\|^saved\|^sum' <<< "$out")" "vpnpass 1
set esp on
set esp hold_time 1500
set esp strict 0
set ike off
set ike hold_time 1500
set ike strict 0
session esp client 192.168.1.10 peer 203.0.113.5 local 198.51.100.1 dest 203.0.113.6 \
expires 1800.250 device wan zone 5 zone-reply 5
	spi out 0xc0000001 idle 1.250
	spi out 0x000000c2 idle 1.250"
	[ $(($(date +%s) - now)) -lt 100 ]
	is "save: the time" "$?" 0
	sum=$(head -n -1 <<< "$out" | python3 -c 'import sys, zlib
print("%08x" % zlib.crc32(sys.stdin.buffer.read()))')
	is "save: the sum" "$(tail -n 1 <<< "$out")" "sum $sum"
	is "save asks and changes nothing" "$sent" "dump proto-get
dump session-get"
	run "family protos baresession" save -
	is "save: a session that is hardly known is left out" "$rc:$(grep -c ^session <<< "$out")" 0:0
	run "family protos onesession" save -
	is "save from an older module" "$(grep ^session <<< "$out")" "session esp client \
192.168.1.10 peer 203.0.113.5 local 198.51.100.1 expires 120.000"
	run "family newproto nosessions" save -
	is "save: a mode of the future is left out" "$(grep ^set <<< "$out")" "set quic hold_time 1500
set quic strict 0"
}

test_save_file()
{
	local dir=$scratch/dir

	mkdir "$dir"
	echo old > "$dir/real"
	chmod 640 "$dir/real"
	ln -s real "$dir/link"
	run "family protos learned" -j save "$dir/link"
	is "save to a file" "$rc:$(query '[d[k] for k in ("switches", "settings", "sessions")]')" \
		"0:[2, 4, 1]"
	is "a link is followed, the mode kept, nothing left" \
		"$(stat -c '%A %F' "$dir/real" "$dir/link"):$(ls "$dir")" "\
-rw-r----- regular file
lrwxrwxrwx symbolic link:link
real"
	is "the file is whole" "$(sed -n '1p;$p' "$dir/real" | cut -d' ' -f1 | paste -sd:)" vpnpass:sum
	run "family eperm" save "$dir/real"
	is "refused: the old file stays" "$rc:$(head -n 1 "$dir/real")" "2:vpnpass 1"
	run "family protos learned" save "$dir/no/file"
	is "no such folder" "$rc:${err##*: }" "2:No such file or directory"
	run "family protos learned" save /dev/full
	is "no room" "$rc:${err##*: }" "2:No space left on device"
	run "family protos learned" save /dev/null
	is "not a regular file" "$rc:$(stat -c %F /dev/null)" "0:character special file"
}

# rejected NAME "LINE: TEXT" LINE...: the file of these lines, nothing is changed
rejected()
{
	local name=$1 text=$2

	shift 2
	printf '%s\n' "$@" > "$scratch/file"
	run "family protos" restore "$scratch/file"
	is "rejected: $name" "$rc:${err#*"$scratch/file":}" "1:$text"
	is "rejected: $name: nothing is asked" "$sent" ""
}

# A file that save wrote, cut at each byte.
test_cuts()
{
	local n length bad='' s="session esp client 10.0.0.1 peer 192.0.2.2 local 192.0.2.1 expires 9"

	saved_file "vpnpass 1" "# by vpnpass 0" "saved 5" "set esp on" "$s" "spi in 0x1001 idle 1"
	mv "$scratch/file" "$scratch/whole"
	# a sum without the end of its line is whole
	length=$(($(stat -c %s "$scratch/whole") - 1))
	for ((n = 0; n < length; n++)); do
		head -c $n "$scratch/whole" > "$scratch/file"
		run "family protos" restore "$scratch/file"
		[ "$rc:$sent" = 1: ] || bad+=" $n"
	done
	is "a file cut at any of its $length bytes is refused, and nothing is asked" "$bad" ""
}

test_restore_syntax()
{
	local s="session esp client 10.0.0.1 peer 192.0.2.2 local 192.0.2.1 expires 9"

	rejected "unknown word" "2: unknown word frob" "# x" "frob esp on"
	rejected "no state" "1: on, off, block or KEY VALUE expected, not maybe" "set esp maybe"
	rejected "too short" "1: set PROTO on|off|block or set PROTO KEY VALUE expected" "set esp"
	rejected "too long" "1: too many words: 3" "set esp k 2 3"
	rejected "no number" "1: k: a number of 32 bits expected, not 5s" "set esp k 5s"
	rejected "33 bits" "1: k: a number of 32 bits expected, not 4294967296" "set esp k 4294967296"
	rejected "not a protocol" "1: not a protocol: E" "set E on"
	rejected "version of the future" \
		"1: version 2 of the format, this tool knows version 1" "vpnpass 2"
	rejected "version too late" "2: the version belongs on line 1" "set esp on" "vpnpass 1"
	rejected "session by hand" '1: session without "vpnpass 1" on line 1' "$s"
	rejected "session without time" "2: a session before the time of saving" "vpnpass 1" "$s"
	rejected "cut short" "4: the end is missing, the file was cut short" \
		"vpnpass 1" "saved 5" "$s"
	rejected "binary" "2: not a line of text" "set esp on" $'\1\2'
	rejected "too many words" "1: too many words" "set $(seq -s' ' 50)"
	for bad in "${s/10.0.0.1/10.0.0}" "${s/ 9/ x}" "${s/ 9/ 0}" "${s/ 9/ 1.2345}" "$s client 10.0.0.2" \
		   "$s zone 65536" "$s zone 0" "$s device 1234567890123456" "$s colour" "$s colour red" \
		   "${s/192.0.2.1/2001:db8::1}" "${s/192.0.2.1/10.0.0.1}" "${s/esp/pptp}"; do
		printf '%s\n' "vpnpass 1" "saved 5" "$bad" > "$scratch/file"
		run "family protos" restore "$scratch/file"
		is "rejected: $bad" "$rc:${err#*"$scratch/file":}" "1:3: ${err##*:3: }"
	done
	for bad in "spi in 0x255" "spi in 0xff idle 1" "spi up 0x1001 idle 1" "spi in 4097 idle 1" \
		   "spi in 0x123456789 idle 1" "spi in 0x idle 1" "spi in 0x1001 idle -1"; do
		printf '%s\n' "vpnpass 1" "saved 5" "$s" "$bad" > "$scratch/file"
		run "family protos" restore "$scratch/file"
		is "rejected: $bad" "$rc:${err#*"$scratch/file":}" "1:4: ${err##*:4: }"
	done
	saved_file "vpnpass 1" "saved 5" "$s" "spi in 0x1001 idle 1" "${s/0.1 /0.3 }" "spi in 0x1001 idle 1"
	run "family protos" restore "$scratch/file"
	is "rejected: an SPI twice" "$rc:${err#*"$scratch/file":}" "1:6: the same as in line 4"
	saved_file "vpnpass 1" "saved 5" "$s" "$s"
	run "family protos" restore "$scratch/file"
	is "rejected: a session twice" "$rc:${err#*"$scratch/file":}" "1:4: the same as in line 3"
	sed -i 's/expires 9/expires 8/' "$scratch/file"
	run "family protos" restore "$scratch/file"
	is "rejected: damaged" "$rc:${err##*: }" "1:the file is damaged"
	echo >> "$scratch/file"
	printf 'vpnpass 1\nset esp on' > "$scratch/file"
	run "family protos ok" restore "$scratch/file"
	is "the last line may lack its end" "$rc:${sent##*$'\n'}" "0:do proto-set name=esp mode=1"
	printf 'set esp hold_time 10' > "$scratch/file"
	run "family protos" restore "$scratch/file"
	is "but not in a number" "$rc:${err##*: }:$sent" \
		"1:the line has no end, its number may be cut short:"
	printf 'vpnpass 1\r\n\r\n  set esp on # really\r\n' > "$scratch/file"
	run "family protos ok" restore - < "$scratch/file"
	is "ends of line of another system, standard input" "$rc:${sent##*$'\n'}" \
		"0:do proto-set name=esp mode=1"
	test_cuts
	: > "$scratch/file"
	run "family protos" -j restore "$scratch/file"
	is "an empty file" "$rc:$(query '[d["error"]["code"], d["error"]["text"]]'):$sent" \
		"1:['syntax', '$scratch/file: the file is empty']:"
}

test_restore()
{
	local now s

	now=$(date +%s)
	s="session esp client 10.0.0.1 peer 192.0.2.2 local 192.0.2.1"
	saved_file "vpnpass 1" "saved $((now - 10))" "set esp on" "set esp hold_time 250" \
		"$s expires 100 dest 192.0.2.9 zone 7 zone-reply 7" \
		"spi out 0xc0000001 idle 1.5" "spi in 0xd0000001 idle 2" "${s/0.1/0.2} expires 5"
	run "family protos ok ok restored" restore "$scratch/file"
	is "restore" "$rc:$out:$err" \
		"0:1 switch, 1 setting and 1 session restored, 1 had timed out:"
	is "restore: what is asked" \
		"$(tail -n 3 <<< "$sent" | sed -E 's/(lifetime=)[89][0-9]{4}/\1...../;s/(idle=1)[0-9]{4}/\1..../g')" "\
do proto-set name=esp mode=1
do proto-set name=esp setting={name=hold_time value=250}
do session-restore proto=esp client=10.0.0.1 peer=192.0.2.2 local=192.0.2.1 dest=192.0.2.9 \
zone=7 zone-reply=7 lifetime=..... pin={kind=0 dir=0 number=3221225473 idle=1....} \
pin={kind=0 dir=1 number=3489660929 idle=1....}"
	run "family protos ok ok restored" -j restore "$scratch/file"
	is "restore in JSON" "$(query '[d[k] for k in ("switches", "settings", "sessions", "numbers",
		"expired", "refused")]')" "[1, 1, 1, 2, 1, 0]"
	run "family protos ok ok eopnotsupp" restore "$scratch/file"
	is "an older module" "$rc:${err#*"$scratch/file":}" \
		"2:5: the kernel module is too old to restore sessions"
	run "family protos ok ok edquot" -j restore "$scratch/file"
	is "a limit" "$rc:${err#*"$scratch/file":}:$(query 'd["refused"]')" \
		"2:5: a limit on sessions is reached:1"
	run "family protos eperm" restore "$scratch/file"
	is "unprivileged" "$rc:$(grep -c CAP_NET_ADMIN <<< "$err"):$(grep -c "^do" <<< "$sent")" 2:1:1
	saved_file "vpnpass 1" "saved $((now - 10))" "$s expires 9"
	run "family protos" restore "$scratch/file"
	is "all timed out" "$rc:${err#*"$scratch/file":}:$sent" \
		"2:2: stale: every session has timed out since it was saved:"
	saved_file "vpnpass 1" "saved $((now + 1000))" "$s expires 9"
	run "family protos" restore "$scratch/file"
	is "of the future" "$rc:${err#*"$scratch/file":}:$sent" \
		"2:2: saved in the future: is the clock right?:"
	saved_file "vpnpass 1" "saved $now" "local 127.0.0.1" "local 198.51.100.77" "$s expires 99"
	run "family protos" restore "$scratch/file"
	is "an address that is gone" "$rc:${err#*"$scratch/file":}:$sent" \
		"2:4: stale: the router has no address 198.51.100.77 any more:"
	saved_file "vpnpass 1" "saved $now" "$s expires 99 device nosuch0"
	run "family protos" restore "$scratch/file"
	is "a device that is gone" "$rc:${err#*"$scratch/file":}:$sent" \
		"2:3: stale: there is no device nosuch0 any more:"
	saved_file "vpnpass 1" "saved $now" "set ipsec off" "$s expires 99"
	run "family protos" restore "$scratch/file"
	is "sessions of what is off" "$rc:${err#*"$scratch/file":}:$sent" \
		"2:4: esp has sessions, but its switch is not on:dump proto-get"
	saved_file "vpnpass 1" "saved $now" "$s expires 99"
	run "family pptp" restore "$scratch/file"
	is "sessions of what is not loaded" "$rc:${err#*"$scratch/file":}" \
		"2:3: esp: protocol not loaded (load it with: modprobe vpnpass_esp)"
}

test_restore_by_hand()
{
	printf '%s\n' "# by hand" "" "set ipsec on" "set esp hold_time 7" > "$scratch/file"
	run "family protos ok ok ok" restore "$scratch/file"
	is "by hand" "$rc:$(grep -c '^do' <<< "$sent"):$out" \
		"0:3:2 switches, 1 setting and 0 sessions restored"
	echo "set esp nosuch 1" >> "$scratch/file"
	run "family protos" restore "$scratch/file"
	is "no such setting" "$rc:$(head -n 1 <<< "${err#*"$scratch/file":}"):$sent" \
		"2:5: esp has no setting nosuch:dump proto-get"
	sed -i 's/nosuch 1/strict 20000/' "$scratch/file"
	run "family protos" restore "$scratch/file"
	is "out of range" "$rc:${err#*"$scratch/file":}:$sent" \
		"2:5: esp strict: 20000 is out of range (0..10000):dump proto-get"
	sed -i '$s/.*/set pptp on/' "$scratch/file"
	run "family protos protos" restore "$scratch/file"
	is "what is not there" "$rc:${err#*"$scratch/file":}" \
		"2:5: pptp: protocol not loaded (load it with: modprobe vpnpass_pptp)"
	is "and nothing is changed" "$(grep -c '^do' <<< "$sent")" 0
	run "family allprotos $(yes ok | head -n 40 | paste -sd' ')" restore "$top/packaging/vpnpass.conf"
	is "the example is accepted" "$rc:$err" "0:"
}

# A checker of the exposition format as Prometheus documents it: prints what is
# wrong, and the number of samples.
promlint()
{
	python3 - "$1" <<- 'END'
	import re, sys
	text = open(sys.argv[1]).read()
	seen, family, kind, n, wrong = set(), None, None, 0, []
	name = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
	if text and not text.endswith("\n"):
	    wrong.append("no newline at the end")
	helped = None
	for line in text.splitlines():
	    m = re.fullmatch(rf"# (HELP|TYPE) ({name}) (.+)", line)
	    if m and m[1] == "HELP":
	        if m[2] in seen:
	            wrong.append("twice: " + line)
	        helped = m[2]
	    elif m:
	        if m[2] != helped or m[2] in seen or m[3] not in ("counter", "gauge"):
	            wrong.append(line)
	        family, kind, samples = m[2], m[3], set()
	        seen.add(family)
	        if (kind == "counter") != family.endswith("_total"):
	            wrong.append("name of a counter: " + line)
	    else:
	        m = re.fullmatch(rf'({name})\{{((?:{name}="(?:[^"\\\\\n]|\\\\[\\\\n"])*",?)+)\}} ([0-9]+)', line) or \
		     re.fullmatch(rf'({name})() ([0-9]+)', line)
	        if not m or m[1] != family or m[2].endswith(",") or m[2] in samples:
	            wrong.append(line)
	        else:
	            samples.add(m[2])
	            n += 1
	print("; ".join(wrong) or n)
	END
}

# The script that the timer runs, and what is made of the metrics.
test_metrics()
{
	cat > "$scratch/bin/vpnpass" <<- END
		#!/bin/sh
		case "\$*" in
		*doctor*) printf '[{"finding":"a","severity":"error"},{"finding":"b","severity":"info"},%s]' \
			'{"finding":"c","severity":"error"}'; exit 3 ;;
		*) exec $vpnpass "\$@" ;;
		esac
	END
	chmod +x "$scratch/bin/vpnpass"
	replies "family monitored onesession"
	echo old > "$scratch/node.prom"
	"$top/packaging/metrics" "$scratch/node.prom" 2> "$scratch/err"
	is "metrics: well formed, nothing left behind" \
		"$?:$(cat "$scratch/err"):$(promlint "$scratch/node.prom"):$(echo "$scratch"/node.prom*)" \
		"0::25:$scratch/node.prom"
	is "metrics: findings" "$(grep '^vpnpass_findings' "$scratch/node.prom")" \
		'vpnpass_findings{severity="error"} 2
vpnpass_findings{severity="warning"} 0
vpnpass_findings{severity="info"} 1'
	is "dashboard and alerts name metrics that there are" \
		"$("$here/prometheus_check.py" "$scratch/node.prom" 2>&1)" 22
	replies nofamily
	"$top/packaging/metrics" "$scratch/node.prom" 2> /dev/null
	is "metrics: without the module" "$(grep '^vpnpass_up' "$scratch/node.prom")" "vpnpass_up 0"
	rm "$scratch/bin/vpnpass"
}

test_prometheus()
{
	run "family mixed" stats --prometheus
	printf '%s\n' "$out" > "$scratch/prom"
	is "stats --prometheus is well formed" "$rc:$err:$(promlint "$scratch/prom")" "0::18"
	is "mode as a state" "$(grep '^vpnpass_mode' "$scratch/prom")" 'vpnpass_mode{proto="esp",mode="off"} 0
vpnpass_mode{proto="esp",mode="on"} 1
vpnpass_mode{proto="esp",mode="block"} 0
vpnpass_mode{proto="ike",mode="off"} 0
vpnpass_mode{proto="ike",mode="on"} 1
vpnpass_mode{proto="ike",mode="block"} 0'
	is "a counter of both" "$(grep '^vpnpass_pinned' "$scratch/prom")" \
		'vpnpass_pinned_total{proto="esp"} 1099511627776
vpnpass_pinned_total{proto="ike"} 7'
	is "a counter with help" "$(grep 'HELP vpnpass_malformed' "$scratch/prom")" \
		"# HELP vpnpass_malformed_total Packets that break the protocol's format."
	is "a counter of the future" "$(grep 'future{\|future_total{' "$scratch/prom")" \
		'vpnpass_from_the_future_total{proto="ike"} 1'
	run "family mixed" stats --prometheus esp
	is "of one protocol" "$rc:$(grep -c ike <<< "$out")" 0:0
	is "up, and which version" "$(grep '^vpnpass_up\|^vpnpass_build' <<< "$out")" \
		'vpnpass_up 1
vpnpass_build_info{version="1.2.3"} 1'
	run "family noprotos nosessions" stats --prometheus
	is "nothing loaded" "$rc:$(grep -v ^# <<< "$out")" '0:vpnpass_up 1
vpnpass_build_info{version="1.2.3"} 1'
	run nofamily stats --prometheus
	is "no module" "$rc:$(grep -v ^# <<< "$out")" '2:vpnpass_up 0
vpnpass_build_info{version="1.2.3"} 1'
	run "family monitored onesession" stats --prometheus
	is "traffic of the sessions" "$(grep '^vpnpass_session_' <<< "$out")" \
		'vpnpass_session_packets{proto="esp",direction="out"} 1000
vpnpass_session_packets{proto="esp",direction="in"} 234
vpnpass_session_bytes{proto="esp",direction="out"} 1000000
vpnpass_session_bytes{proto="esp",direction="in"} 234567'
	is "settings and limits" "$(grep '^vpnpass_setting\|^vpnpass_limit{' <<< "$out")" \
		'vpnpass_setting{proto="esp",setting="max_sessions"} 4096
vpnpass_setting{proto="esp",setting="strict"} 0
vpnpass_limit{proto="esp",limit="max_sessions"} 4096'
	run "family monitored eperm" stats --prometheus
	is "without the right to see sessions" "$rc:$(grep -c 'vpnpass_session_' <<< "$out")" 0:0
	test_metrics
	run "family bareproto" stats --prometheus
	printf '%s\n' "$out" > "$scratch/prom"
	is "attributes missing" "$rc:$(promlint "$scratch/prom")" 0:2
	if command -v promtool > /dev/null; then
		run "family mixed" stats --prometheus
		is "promtool agrees" "$(promtool check metrics <<< "$out" 2>&1)" ""
	else
		skip "promtool agrees" "promtool is missing (package prometheus)"
	fi
}

# Every counter that a module has is explained, by the tool and by vpnpass(4).
test_counters()
{
	local name missing='' undocumented=''

	for name in $(grep -hoE '\[[A-Z0-9]+_CNT_[A-Z_]+\] = "[a-z_0-9]+"' "$top"/kmod/*/*.[ch] |
		      cut -d'"' -f2 | sort -u); do
		grep -q "{ \"$name\"," "$top/tools/lib/counters.c" || missing+=" $name"
		grep -qE "^\.It Va $name\b|^\.Va $name\b" "$top/tools/man/vpnpass.4" || undocumented+=" $name"
	done
	is "every counter has a help text" "$missing" ""
	is "every counter is in vpnpass(4)" "$undocumented" ""
}

# settings: NAME:UNIT:LEAST:MOST:DEFAULT of each, as the modules have them
settings()
{
	local copies longest

	longest=$(sed -nE 's/^#define VPNPASS_TIMEOUT_MAX\t+([0-9]+).*/\1/p' "$top/kmod/core/vpnpass.h")
	copies=$(sed -n 's/^#define PAIR_COPIES_MAX\t*\([0-9]*\).*/\1/p' "$top/kmod/esp/pair/pair.h")
	cat "$top"/kmod/*/*.[ch] |
		sed -nE 's/.*\{ ("[a-z_]+"), "([A-Za-z]*)", ([0-9]+), (\w+), (\w+) \}.*/\1:\2:\3:\4:\5/p' |
		tr -d '"' | sed "s/PAIR_COPIES_MAX/$copies/g; s/VPNPASS_TIMEOUT_MAX/$longest/g"
}

# ... and vpnpass(4) says the same: its unit is longer, a default that differs from
# protocol to protocol is in the text
test_settings()
{
	local name unit least most default range wrong='' n=0

	while IFS=: read -r name unit least most default; do
		n=$((n + 1))
		range="$least to $most"
		[ -n "$unit" ] || range="$least or $most"
		case $name in
		timeout | max_per_*) ;;
		*) range+=", $default" ;;
		esac
		grep -qE "^\.It Va $name Pq ([a-z]+, )?$range\$" "$top/tools/man/vpnpass.4" ||
			wrong+=" $name ($range)"
	done < <(settings)
	is "every setting is in vpnpass(4), with its range" "$wrong" ""
	is "... none is overlooked" "$n" \
		"$(cat "$top"/kmod/*/*.[ch] | grep -cE '\{ "[a-z_]+", "[a-zA-Z]*", [0-9]')"
}

test_width()
{
	local cmd

	for cmd in session "show esp" stats; do
		# shellcheck disable=SC2086
		COLUMNS=80 run "family $([ "$cmd" = session ] && echo sessions6 || echo protos)" $cmd
		is "$cmd fits 80 columns" "$rc:$(awk 'length > 80' <<< "$out")" "0:"
	done
	COLUMNS=80 run "family sessions6" session
	is "long addresses: the row goes on below" "$(sed -n '1,4p' <<< "$out")" "\
PROTO  CLIENT
  PEER                                      AGE   IDLE     PACKETS  BYTES
  STATE
esp    2001:db8:1111:2222:3333:4444:5555:6666"
	COLUMNS=200 run "family sessions6" session
	is "a wide terminal has it in one" "$(head -n 1 <<< "$out" | awk '{ print NF }')" 8
	COLUMNS=nonsense run "family manypins" session
	is "a width that is none is 80" "$(awk 'length > 80' <<< "$out")" ""
}

# terminal COMMAND...: as if typed; sets out
terminal()
{
	out=$(script -qefc "$*" /dev/null < /dev/null 2>&1 | tr -d '\r')
}

test_terminal()
{
	if ! command -v script > /dev/null; then
		skip "on a terminal" "script is missing"
		return
	fi
	"$here/cli_fixture.py" family protos > "$VPNPASS_REPLAY"
	TERM=xterm terminal "$vpnpass" show
	is "colour on a terminal" "$(awk 'NR < 3 { print $1, (NR > 1 ? $2 : "") }' <<< "$out")" \
		$'\e[1mPROTO\e[0m \nesp \e[32mon\e[0m'
	TERM=xterm NO_COLOR=1 terminal "$vpnpass" show
	is "none with NO_COLOR" "$(head -n 1 <<< "$out")" "PROTO  MODE  SESSIONS  PINS"
	TERM=dumb terminal "$vpnpass" show
	is "none where TERM is dumb" "$(head -n 1 <<< "$out")" "PROTO  MODE  SESSIONS  PINS"
	TERM=xterm terminal "$vpnpass" -j show
	is "none in JSON" "$(query 'd[0]["mode"]')" on
	rm "$VPNPASS_REPLAY"
	mkfifo "$VPNPASS_REPLAY"
	{ sleep 1.5; "$here/cli_fixture.py" family protos; } > "$VPNPASS_REPLAY" &
	TERM=dumb terminal "$vpnpass" show
	is "what takes over a second says so" "$(head -n 1 <<< "$out" |
		sed 's/\(\x1b\[Kvpnpass: waiting for the kernel \.\.\.\)*/\1/')" \
		$'\e[Kvpnpass: waiting for the kernel ...\e[KPROTO  MODE  SESSIONS  PINS'
	{ sleep 1.5; "$here/cli_fixture.py" family protos; } > "$VPNPASS_REPLAY" &
	out=$("$vpnpass" show 2>&1 | head -n 1)
	is "and nothing where there is no terminal" "$out" "PROTO  MODE  SESSIONS  PINS"
	wait
	rm "$VPNPASS_REPLAY"
}

# Whatever happens, what -j prints is JSON, and something.
test_json_everywhere()
{
	local scene cmd bad='' n=0

	echo "set esp on" > "$scratch/hand"
	for scene in nofamily "family noprotos nosessions" "family doneerror" "family emptyack" \
		     "family protos eperm" "family bareproto baresession" "family protos ok ok"; do
		for cmd in "" show "show esp" "show nosuch" "show e E" stats "stats esp" session \
			   "session flush" "session client x" "set esp on" "set all off" set \
			   "set esp k 1" "save $scratch/js" "save /nonexistent/x" save \
			   "restore $scratch/hand" "restore /nonexistent/x" "restore $VPNPASS_SENT" \
			   "stats --prometheus" frob help "help x" -V -x; do
			replies "$scene"
			# shellcheck disable=SC2086
			out=$("$vpnpass" -j $cmd 2> /dev/null)
			n=$((n + 1))
			[ -n "$out" ] || bad+=" '$scene/$cmd': nothing"
			printf '%s\n' "$out" >> "$scratch/everywhere"
		done
	done
	is "-j always prints something ($n ways)" "$bad" ""
	out=[$(paste -sd, "$scratch/everywhere")]
	is "and all of it is JSON" "$(query 'len(d)')" "$n"
	if command -v jq > /dev/null; then
		jq -e . "$scratch/everywhere" > /dev/null
		is "jq -e agrees" $? 0
	else
		skip "jq -e agrees" "jq is missing"
	fi
	for scene in "" nofamily "family" "family events"; do
		run "$scene" -j monitor x
		bad+=$(query '"" if d["error"]["code"] == "usage" else "usage"')
		run "$scene" -j monitor
		out=[$(paste -sd, <<< "$out")]
		bad+=$(query '"" if all("event" in e for e in d) else "monitor"')
	done
	is "monitor too" "$bad" ""
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

test_brief()
{
	run "family sessions" -br session
	is "-br: a line each" "$rc:$(wc -l <<< "$out"):$(sed -n 1p <<< "$out" | tr -s ' ' |
		cut -d' ' -f1-3)" "0:2:esp 192.168.1.10 203.0.113.5"
	run "family protos" -brief show esp
	is "-br show" "$(tr -s ' ' <<< "$out")" "esp on 2 4"
	run "family protos" -c show
	is "-c colours what is no terminal" "$(head -n 1 <<< "$out" | cut -c1-4)" $'\e[1m'
	run "family protos" -c never show
	is "-c never show" "${out%% *}" PROTO
	run "family protos" -color=never show
	is "-color=never" "${out%% *}" PROTO
}

test_top()
{
	run "family sessions sessions sessions" top interval 1 count 2
	is "top: twice" "$rc:$(grep -c '^PROTO' <<< "$out"):$(grep -c '^esp' <<< "$out")" 0:2:2
	run "family onesession busysession" -j top interval 1 count 1
	is "top in JSON" "$(query '[d[0]["client"], 900 < d[0]["rate_out"] <= 1000, d[0]["rate_in"]]')" \
		"['192.168.1.10', True, 0]"
	run "family protos onesession protos onesession" top int 1 co 1 proto esp client 192.0.2.1
	is "top asks for what is wanted" "${sent##*$'\n'}" \
		"dump session-get proto=esp client=192.0.2.1"
	run nofamily -j top
	is "top without a module" "$rc:$(query 'd["error"]["code"]')" 2:not-loaded
}

test_monitor_filters()
{
	run "family events" -j monitor type mode
	is "monitor type" "$(paste -sd, <<< "$out" | grep -o '"event":"[a-z-]*"' | paste -sd' ')" \
		'"event":"mode" "event":"overrun"'
	run "family events" monitor client 192.168.1.10
	is "monitor client" "$(grep -c . <<< "$out"):$(grep -c '192.168.1.10' <<< "$out")" 3:2
	run "family events" monitor peer 203.0.113.6
	is "monitor peer" "$(grep -c . <<< "$out")" 1
	run "family events" monitor proto ipsec type setting
	is "monitor proto and type" "$(grep -c . <<< "$out")" 2
	run "family events" monitor proto pptp
	is "monitor of another protocol" "$(grep -c . <<< "$out")" 1
}

# --declarative takes back settings, and --check tells of them; esp is at hold_time 1500 of
# default 2000 and strict 0 of default 2000, ike off.
test_declarative()
{
	local buckets=/proc/sys/net/netfilter/nf_conntrack_buckets mode=1

	# another netns than the initial one has its switches off
	[ ! -e $buckets ] || [[ $(stat -c %A $buckets) == ?rw* ]] || mode=0
	printf '%s\n' "set esp strict 7" "set all on" > "$scratch/file"
	run "family protos ok ok ok ok ok ok" restore --declarative "$scratch/file"
	is "declarative: what is not named goes back" "$rc:$(grep '^do' <<< "$sent" | cut -d' ' -f3-)" \
		"0:name=esp setting={name=strict value=7}
name=esp mode=1
name=ike mode=1
name=esp setting={name=hold_time value=2000}
name=ike setting={name=hold_time value=2000}
name=ike setting={name=strict value=2000}"
	echo "set esp strict 7" > "$scratch/file"
	run "family protos ok ok ok ok ok ok" restore --declarative "$scratch/file"
	is "declarative: a switch that is not named" "$rc:$(grep -c "name=ike mode=$mode" <<< "$sent")" \
		"0:$mode"
	printf '%s\n' "set ipsec strict 7" "set esp on" "set ike off" > "$scratch/file"
	run "family protos" restore --declarative --check "$scratch/file"
	is "declarative, checked: the difference" "$rc:$out:$(grep -c '^do' <<< "$sent")" \
		"0:-set esp hold_time 1500
+set esp hold_time 2000
-set esp strict 0
+set esp strict 7
-set ike hold_time 1500
+set ike hold_time 2000
-set ike strict 0
+set ike strict 7:0"
	echo "set esp strict 7" > "$scratch/file"
	run "family protos" restore "$scratch/file" --check
	is "checked: the difference" "$out" "-set esp strict 0
+set esp strict 7"
	run "family protos" -j restore --check "$scratch/file"
	is "checked, in JSON" "$(query 'd["changes"]')" \
		"[{'proto': 'esp', 'setting': 'strict', 'from': 0, 'to': 7}]"
	printf '%s\n' "set esp on" "set ike off" > "$scratch/file"
	run "family protos" restore --check "$scratch/file"
	is "checked: no difference" "$rc:$out" "0:# nothing to change"
	echo "set pptp block" > "$scratch/file"
	run nofamily restore --check "$scratch/file"
	is "checked: no module is loaded" "$rc:$out:$modprobe" "0:+set pptp block:"
	echo "set esp strict 10001" > "$scratch/file"
	run "family protos" -j restore --check "$scratch/file"
	is "checked: out of range" "$rc:$(query 'd["error"]["code"]')" 2:range
	echo "set esp frob" > "$scratch/file"
	run "" restore --check "$scratch/file"
	is "checked: not understood" "$rc:${err#*"$scratch/file":}" \
		"1:1: on, off, block or KEY VALUE expected, not frob"
}

# Lines of the log are read back by the grammar of RFC 5424.
test_syslog()
{
	run "family logged" monitor --syslog
	is "monitor --syslog" "$rc:$(python3 "$here/rfc5424.py" <<< "$out")" "0:\
30 1970-01-01T01:00:01.000000Z vpnpass session-new
30 1970-01-01T01:00:01.000000Z vpnpass session-end
30 1970-01-01T01:00:01.000000Z vpnpass mode
28 1970-01-01T01:00:01.000000Z vpnpass limit"
	is "who, by which address, with whom" "$(python3 "$here/rfc5424.py" 0 <<< "$out")" "\
event=session-new
proto=esp
client=192.168.1.10
local=198.51.100.1
peer=203.0.113.5
session=7
packets-out=1000
bytes-out=1000000
packets-in=234
bytes-in=234567
spi-out=0xc0000001
spi-out=0x000000c2
spi-in=0xd0000001?"
	is "a value with brackets and quotes" "$(python3 "$here/rfc5424.py" 1 <<< "$out" |
		grep 'reason\|^end')" 'end=1970-01-01T01:00:01.000000Z
reason=quote " back\slash ] and?tab'
	usage "syslog as JSON" "exclude -j" -j monitor --syslog
	run "" monitor --journal="$scratch/nosuch"
	is "no journal" "$rc:${err##*: }" "2:No such file or directory"
	python3 - "$scratch/journal" > "$scratch/fields" <<- 'END' &
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind(sys.argv[1])
	for i in range(4):
	    print(s.recv(65536).decode(), end="--\n", flush=True)
	END
	local tries=100
	while [ ! -S "$scratch/journal" ] && [ $((tries--)) -gt 0 ]; do sleep 0.1; done
	run "family logged" monitor --journal="$scratch/journal" proto esp
	run "family logged" monitor --journal="$scratch/journal" type mode
	wait $!
	is "events in the journal" "$rc:$(grep -c ^-- "$scratch/fields"):$(sed -n '/^--/q;p' \
		"$scratch/fields" | sed -n 1,7p)" "0:4:MESSAGE=esp session-new 192.168.1.10 as 198.51.100.1 > 203.0.113.5
PRIORITY=6
SYSLOG_IDENTIFIER=vpnpass
VPNPASS_EVENT=session-new
VPNPASS_PROTO=esp
VPNPASS_CLIENT=192.168.1.10
VPNPASS_LOCAL=198.51.100.1"
	is "a limit is a warning" "$(grep -c '^PRIORITY=4' "$scratch/fields")" 1
}

# A power cut at every call that save makes for its file: the old file is there, or
# the new one, and each can be restored. What is left of the new one is put away by
# the next save of the service.
test_power_cut()
{
	local n bad='' half done_at=0 before=0 after=0
	local wrap=(write mkostemp fchmod fchown fsync close rename)

	# shellcheck disable=SC2046
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -g -I"$top/uapi" -I"$top/tools" \
		-DVPNPASS_VERSION='"1.2.3"' "${wrap[@]/#/-Wl,--wrap=}" -o "$scratch/mortal" \
		"$here/die_at.c" "${sources[@]}" $(pkg-config --cflags --libs libmnl) ||
		{ not_ok "the tool that dies is built"; return; }
	mkdir "$scratch/keep"
	for half in "" 1; do
		for n in $(seq 1 40); do
			printf '%s\n' "set esp on" > "$scratch/keep/state"
			replies "family protos busysession"
			env VPNPASS_DIE_AT="$n" ${half:+VPNPASS_DIE_HALF=1} "$scratch/mortal" \
				save "$scratch/keep/state" > /dev/null 2>&1
			rc=$?
			case $(head -n 1 "$scratch/keep/state") in
			"set esp on") before=$((before + 1)) ;;
			"vpnpass 1") after=$((after + 1)) ;;
			*) bad+=" at $n: neither" ;;
			esac
			replies "family protos"
			"$vpnpass" restore --boot --check "$scratch/keep/state" > /dev/null 2>&1 ||
				bad+=" at $n: cannot be restored"
			[ $rc != 0 ] || { done_at=$n; break; }
			[ $rc = 77 ] || bad+=" at $n: exit code $rc"
		done
	done
	is "killed at each of $done_at calls, at half of a write too: the old file or the new" "$bad" ""
	check "it was killed before and after the change" \
		test "$before" -gt 4 -a "$after" -gt 2 -a "$done_at" -gt 6
	ln -sf "$vpnpass" "$scratch/bin/vpnpass"
	mkdir "$scratch/keep/run"
	: > "$scratch/keep/run/restored"
	replies "family protos busysession"
	STATE=$scratch/keep/state RUNTIME_DIRECTORY=$scratch/keep/run "$top/packaging/state" save
	is "the next save leaves nothing behind" "$?:$(cd "$scratch/keep" && echo state*)" 0:state
	rm "$scratch/bin/vpnpass"
}

# The sessions of a file before the network is up, and without its switches.
test_restore_boot()
{
	local now s

	now=$(date +%s)
	s="session esp client 10.0.0.1 peer 192.0.2.2 local 192.0.2.1 expires 100"
	saved_file "vpnpass 1" "saved $((now + 5000))" "set esp off" "local 198.51.100.77" \
		"$s zone 7" "$s device nosuch0"
	run "family protos restored" -j restore --boot "$scratch/file"
	is "restore --boot" "$rc:$(query '[d[k] for k in ("switches", "sessions", "absent", "refused")]')" \
		"0:[0, 1, 1, 0]"
	is "restore --boot: the time that passed is not known" \
		"$(grep -o 'lifetime=[0-9]*' <<< "$sent")" lifetime=100000
	run "family protos" restore --sessions "$scratch/file"
	is "restore --sessions: the clock counts" "$rc:${err##*stale}" \
		"2:vpnpass: $scratch/file:2: saved in the future: is the clock right?"
	usage "declarative, and no switches" "--declarative excludes" restore --declarative --boot x
}

# answer DEFINITION "SCENE..." ARG...: adds what is printed to $scratch/answers
answer()
{
	run "$2" -j "${@:3}"
	sed "s/^/$1\t/" <<< "$out" >> "$scratch/answers"
}

# Every command's JSON is what the schema in docs says.
test_schema()
{
	if ! python3 -c 'import jsonschema' 2> /dev/null; then
		skip "JSON as in docs/schema" "python3-jsonschema is missing"
		return
	fi
	: > "$scratch/answers"
	echo "set esp strict 7" > "$scratch/file"
	answer show "family protos" show
	answer show "family newproto" show
	answer show "family bareproto" show
	answer show nofamily show
	answer session "family sessions" session
	answer session "family learned" session
	answer session "family baresession" session
	answer session_flush "family flushed" session flush
	answer session_flush "family eperm" session flush
	answer set "family protos ok ok" set ipsec on
	answer set "family protos ok" set esp strict 1
	answer set "family protos ok eperm" set ipsec on
	answer set "family protos" set esp strict 10001
	answer set "family protos" set quic on
	answer stats "family protos" stats
	answer monitor "family events" -t monitor
	answer monitor nofamily monitor
	answer top "family sessions sessions" top interval 1 count 1
	answer doctor "family protos nosessions" doctor
	answer doctor_probe "" doctor probe 127.0.0.1 timeout 1
	answer save "family protos learned" save "$scratch/saved"
	answer save "family protos learned" save /nonexistent/x
	answer restore "family protos ok" restore "$scratch/file"
	answer restore "family protos eperm" restore "$scratch/file"
	answer restore "family protos" restore --boot "$scratch/file"
	answer restore_check "family protos" restore --check --declarative "$scratch/file"
	answer help "" help
	answer version "" -V
	answer failed "" frob
	is "JSON as in docs/schema" "$("$here/schema_check.py" < "$scratch/answers" 2>&1)" \
		"$(grep -c . "$scratch/answers")"
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
	refused "unprivileged, in the kernel's words" "family hidden" \
		"vpnpass: sessions are shown to CAP_NET_ADMIN alone" -j session
	is "unprivileged, in the kernel's words: JSON" "$(query 'd["error"]["code"]')" permission
	refused "wrong key" "family protos" "vpnpass: esp has no setting foo" set esp foo 1
	is "wrong key: the right ones" "${err#*$'\n'}" "Settings of esp: hold_time strict"
	is "wrong key: nothing is sent" "$sent" "dump proto-get"
	refused "key mistyped" "family protos" \
		"vpnpass: esp has no setting hold_tiem (did you mean hold_time?)" \
		-j set esp hold_tiem 1
	is "key mistyped: JSON" "$(query '[d["error"][k] for k in ("code", "hint")]')" \
		"['no-setting', 'did you mean hold_time?']"
	refused "out of range" "family protos" \
		"vpnpass: esp hold_time: 10001 is out of range (0..10000)" -j set esp hold_time 10001
	is "out of range: JSON" "$(query '[d["error"][k] for k in ("code", "hint")]'):$sent" \
		"['range', 'hold_time of esp may be 0 to 10000 ms']:dump proto-get"
	refused "refused in the middle" "family protos ok eperm" \
		"vpnpass: Operation not permitted" -j set ipsec on
	is "refused in the middle: JSON" "$(query '[d[0]["proto"], d[1]["error"]["code"]]')" \
		"['esp', 'permission']"
	refused "wrong value" "family protos badvalue" \
		"vpnpass: esp: value out of range (attribute setting.value)" set esp hold_time 1
	refused "error without words" "family protos plainerror" \
		"vpnpass: esp: Device or resource busy" set esp on
	refused "error at the end of a dump" "family doneerror" \
		"vpnpass: table is being resized" -j session
	is "JSON after an error" "$(query 'd["error"]["text"]')" "table is being resized"
	refused "error cut short" "family emptyack" "vpnpass: Bad message" -j show
	is "JSON after that" "$(query 'd["error"]')" "{'text': 'Bad message', 'code': 'refused'}"
	refused "connection lost" "family" "vpnpass: No data available" show
}

test_missing()
{
	refused "module missing" nofamily \
		"vpnpass: kernel module not loaded (load it with: modprobe vpnpass_esp)" show
	refused "module missing, pptp wanted" nofamily \
		"vpnpass: kernel module not loaded (load it with: modprobe vpnpass_pptp)" \
		-j set pptp on
	is "module missing: JSON" "$(query '[d["error"][k] for k in ("code", "hint")]')" \
		"['not-loaded', 'modprobe vpnpass_pptp']"
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

test_stamps()
{
	run "family mode" -t monitor
	is "monitor -t" "$rc:$out" "0:1970-01-01T01:00:01.000000+00:00 esp  mode        block"
	run "family mode" -ts monitor
	is "monitor -ts" "$rc:$out" "0:[1970-01-01T01:00:01.000000] esp  mode        block"
	run "family mode" -j -t monitor
	is "monitor -j -t" "$(query '(d["time"], d["timestamp"])')" \
		"(3601.000000042, '1970-01-01T01:00:01.000000+00:00')"
	TZ=XXX-05:30 run "family mode" -timestamp monitor
	is "monitor -t elsewhere" "${out%% *}" "1970-01-01T06:30:01.000000+05:30"
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

# Output that cannot be written: a full disk, a closed file. What the tool opens
# for itself does not take its place.
test_unwritable()
{
	local words scene bad='' to n

	echo "# nothing" > "$scratch/empty"
	while IFS=: read -r scene words; do
		for to in /dev/full '&-'; do
			replies "$scene"
			n=$(stat -c %s "$VPNPASS_REPLAY")
			eval "\$vpnpass $words >$to" 2> "$scratch/err"
			if [ "$?:$(wc -l < "$scratch/err")" != 2:1 ] ||
			   ! grep -qE "^vpnpass: (cannot write|-: (No space|Bad file))" "$scratch/err" ||
			   [ "$n" != "$(stat -c %s "$VPNPASS_REPLAY")" ]; then
				bad+=" '$words >$to': $(head -n 1 "$scratch/err")"
			fi
		done
	done <<- END
	family protos:
	family protos:-j show esp
	family sessions:session
	family sessions:-jp session
	family flushed:session flush
	family protos:stats
	family protos:-j stats
	family protos:stats --prometheus
	family protos ok:-j set esp on
	family events:monitor
	family events:-j monitor
	family protos learned:save -
	family protos learned:save $scratch/f
	family protos learned:-j save $scratch/f
	family protos:restore $scratch/empty
	:help
	:-j help set
	:-V
	END
	is "what cannot be written is an error, told once" "$bad" ""
	replies "family protos ok"
	"$vpnpass" set esp on >&- 2> "$scratch/err"
	is "who has nothing to say needs no output" "$?:$(< "$scratch/err")" "0:"
	"$vpnpass" restore - <&- 2> "$scratch/err"
	is "no standard input" "$?:$(< "$scratch/err")" \
		"1:vpnpass: standard input: Bad file descriptor"
	replies "family sessions"
	"$vpnpass" frob 2>&-
	is "nowhere to complain" $? 1
}

# piped "SCENE..." ARG...: what head -n 1 has of it; exit code in $rc
piped()
{
	replies "$1"
	out=$("$vpnpass" "${@:2}" 2> "$scratch/err" | head -n 1; echo "${PIPESTATUS[0]}")
	rc=${out##*$'\n'} out=${out%$'\n'*} err=$(< "$scratch/err")
}

# A reader who has seen enough ends it at once, without a word.
test_broken_pipe()
{
	local json

	piped "family 2000*moresessions onesession" session
	is "session | head" "$rc:${out%% *}:$err" 141:PROTO:
	for json in "" -j; do
		rm -f "$VPNPASS_REPLAY"
		mkfifo "$VPNPASS_REPLAY"
		exec 9<> "$VPNPASS_REPLAY"
		"$here/cli_fixture.py" family mode >&9
		# nothing more is to come
		out=$(timeout 20 "$vpnpass" $json monitor 2> "$scratch/err" | head -n 1
			echo "${PIPESTATUS[0]}")
		is "monitor $json | head" "$(tail -n 1 <<< "$out"):$(wc -l <<< "$out"):$(< "$scratch/err")" 141:2:
		"$here/cli_fixture.py" family mode >&9
		out=$(trap '' PIPE; timeout 20 "$vpnpass" $json monitor 2> "$scratch/err" | head -n 1
			echo "${PIPESTATUS[0]}")
		is "monitor $json | head, where that signal is ignored" \
			"$(tail -n 1 <<< "$out"):$(< "$scratch/err")" "2:vpnpass: monitor: Broken pipe"
		exec 9>&-
	done
	rm -f "$VPNPASS_REPLAY"
}

# Twenty thousand sessions, as many lines to restore.
test_many()
{
	local all="20000*moresessions nosessions" lines

	run "family $all" session
	is "a table of 20,000 sessions" "$rc:$(wc -l <<< "$out")" 0:40001
	run "family $all" -j session
	is "in JSON" "$rc:$(query 'len(d)')" 0:20000
	run "family protos $all" save "$scratch/many"
	is "saved" "$rc:$out:$(grep -c ^session "$scratch/many")" \
		"0:2 switches, 4 settings and 20000 sessions saved:20000"
	# each of a client of its own, with one number
	mapfile -t lines < <(awk '
		$1 == "session" { $4 = "10." int(n / 250) ".0." n % 250 + 1; sub(" device wan", "")
				  print; printf "spi in 0x%08x idle 1.250\n", 4096 + n++ }
		$1 !~ /^(session|spi|sum)$/' "$scratch/many" | head -n 20000)
	saved_file "${lines[@]}"
	run "family protos $(yes ok | head -n 6 | paste -sd' ') 20000*restored" restore "$scratch/file"
	is "restored: 20,000 lines" "$rc:$out:$err:$(wc -l < "$scratch/file")" \
		"0:2 switches, 4 settings and 9996 sessions restored::20001"
}

# vpnpass doctor on counters that a stock kernel cannot be made to show (what is
# seen where memory does run out is in faults/test_alloc.sh). The machine's own
# firewall and interfaces may have more to tell.
test_doctor()
{
	local code codes untested='' undocumented=''

	run "family nomemory nosessions" -j doctor
	is "doctor: no memory" "$rc:$(query '[f for f in d if f["finding"] == "no-memory"]')" \
		"3:[{'finding': 'no-memory', 'id': 'no-memory', 'severity': 'error', 'proto': 'esp', \
'seen': 'the counter no_memory of esp is 3', \
'meaning': 'A client got no VPN session, as the router had no memory for it.', \
'do': 'The router is short of memory: see /proc/meminfo, dmesg.', 'commands': []}]"
	is "doctor: what failed for it is no finding of its own" "$(query '[f for f in d
		if "pin_failed" in f["seen"]]')" "[]"
	run "family allprotos nosessions" -j doctor
	is "doctor: memory enough" "$(query '[f for f in d if f["finding"] == "no-memory"]')" "[]"
	codes=$(sed -n '/\<found(r, /{s/SEVERITY.*//;p}' "$top"/tools/doctor/checks/*.c |
		grep -oE '"[a-z0-9-]+"' | tr -d '"' | sort -u)
	for code in $codes; do
		grep -rqE "\bfound \"[^\"]*\" $code\b|finding == ..?$code\b|find=.*\"$code " \
			"$top"/selftests/{doctor,faults}/test_*.sh "$top"/selftests/doctor/scenes ||
			untested+=" $code"
		grep -qE "^\.It Cm (.* , )?$code\b" "$top/tools/man/vpnpass-doctor.8" || undocumented+=" $code"
	done
	is "every finding has a test that makes the fault ($(wc -w <<< "$codes"))" "$untested" ""
	is "every finding is in vpnpass-doctor(8)" "$undocumented" ""
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
	is "completion of commands" "$out" "doctor help monitor restore save session set show stats top"
	words "" -
	is "completion of options" "$out" \
		"-brief -color -help -json -netns -pretty -timestamp -tshort -version"
	words "" -c a
	is "completion of colours" "$out" "always auto"
	words "" -c never st
	is "a command after colours" "$out" "stats"
	words "" restore -
	is "completion of restore's options" "$out" "--boot --check --declarative --sessions"
	words "" monitor type s
	is "completion of events" "$out" "session-end session-new setting"
	words "family newproto" -j show ""
	is "completion of protocols" "$out" "all esp ike ipsec l2tp natt pptp quic"
	words "family protos" set esp ""
	is "completion of states and settings" "$out" "block hold_time off on strict"
	words "family protos" set esp h
	is "completion of a beginning" "$out" "hold_time"
	words "" stats --
	is "completion of an option" "$out" "--prometheus"
	words "" save ""
	is "completion of files" "$out" ":files"
	words "" session ""
	is "completion of words" "$out" "client flush limit list peer proto"
	words "family sessions" session client ""
	is "completion of clients" "$out" "192.168.1.10 2001:db8::10"
	words nofamily set esp ""
	is "completion without a module" "$rc:$out:$err" "0:block off on:"
	run "" complete
	is "completion of nothing" "$rc:$out" "0:"
	words "" --
	is "completion of options with two dashes" "$out" \
		"--brief --color --help --json --netns --pretty --timestamp --tshort --version"
	words "family sessions" session client 192.168.1.10 ""
	is "no word twice" "$out" "limit peer proto"
	words "" set h
	is "completion of help" "$out" help
	words "" doctor probe h ike timeout 5 ""
	is "no timeout twice" "$out" "ike iketcp l2tp natt openvpn pptp"
	test_completion_bash
}

# completed "SCENE..." WORD...: what the function of bash offers after these words
completed()
{
	replies "$1"
	# shellcheck disable=SC1091,SC2030
	out=$(. "$top/tools/completion/vpnpass.bash"
		COMP_WORDS=("$vpnpass" "${@:2}") COMP_CWORD=$(($# - 1))
		_vpnpass
		printf '%s\n' "${COMPREPLY[@]}" | sort -u | paste -sd' ')
}

# Each command, by the function itself
test_completion_bash()
{
	local command commands

	completed "" ""
	commands=$out
	run "" -j help
	is "bash: every command that help lists" "$commands" \
		"$(query '" ".join(sorted(c["command"] for c in d))')"
	for command in $commands; do
		completed "" "${command:0:4}"
		is "bash: ${command:0:4} is $command" "$out" "$command"
		completed "" "$command" hel
		case $command in
		save | restore) is "bash: $command has files" "$out" "" ;;
		help) ;;
		*) is "bash: $command help" "$out" help ;;
		esac
	done
	completed "" -js
	is "bash: an option" "$out" -json
	completed "" help ""
	is "bash: help" "$out" "$commands"
	completed "family protos" show ""
	is "bash: show" "$out" "all esp ike ipsec l2tp natt pptp"
	completed "family protos" -p -j set ""
	is "bash: set, after options" "$out" "all esp ike ipsec l2tp natt pptp"
	completed "family protos" set esp ""
	is "bash: set esp" "$out" "block hold_time off on strict"
	completed "family protos" stats esp ""
	is "bash: stats esp" "$out" "--prometheus"
	completed "" session ""
	is "bash: session" "$out" "client flush limit list peer proto"
	completed "" session flush ""
	is "bash: session flush" "$out" "client peer proto"
	completed "family protos" session proto i
	is "bash: session proto i" "$out" "ike ipsec"
	completed "family sessions" session peer ""
	is "bash: session peer" "$out" 203.0.113.5
	completed "" monitor ""
	is "bash: monitor" "$out" "client peer proto type"
	completed "" doctor ""
	is "bash: doctor" "$out" probe
	completed "" doctor probe ""
	is "bash: doctor probe: a host nobody knows" "$out" ""
	completed "" doctor probe vpn.example ""
	is "bash: doctor probe HOST" "$out" "ike iketcp l2tp natt openvpn pptp timeout"
	completed "" doctor probe vpn.example timeout ""
	is "bash: a number nobody knows" "$out" ""
	completed "" doctor probe vpn.example timeout 5 o
	is "bash: doctor probe HOST timeout 5 o" "$out" openvpn

	"$here/cli_fixture.py" family protos > "$VPNPASS_REPLAY"
	# shellcheck disable=SC2030,SC1091
	out=$(. "$top/tools/completion/vpnpass.bash"
		COMP_WORDS=("$vpnpass" -j set esp o) COMP_CWORD=4
		_vpnpass
		echo "${COMPREPLY[*]}")
	is "completion in bash" "$out" "on off"
	mkdir "$scratch/files"
	touch "$scratch/files/one two"
	# shellcheck disable=SC2030,SC1091
	out=$(. "$top/tools/completion/vpnpass.bash"
		COMP_WORDS=("$vpnpass" restore "$scratch/files/o") COMP_CWORD=2
		_vpnpass
		echo "${COMPREPLY[*]}")
	is "completion of files in bash" "$out" "$scratch/files/one two"
}

# completed_fish LINE, completed_zsh WORD...: what these shells offer after that
completed_fish()
{
	out=$(HOME=$scratch fish --no-config -c "source '$top/tools/completion/vpnpass.fish'
		complete -C '$1'" 2>&1 | sort -u | paste -sd' ')
}

completed_zsh()
{
	out=$(zsh -f -c 'file=$1; shift; words=("$@") CURRENT=$#
		_call_program() { shift; eval "$*" }
		compadd() { shift; print -rl -- "$@" }
		_files() { print files }
		source $file' zsh "$top/tools/completion/vpnpass.zsh" "$@" 2>&1 | sort -u | paste -sd' ')
}

test_completion_shells()
{
	ln -sf "$vpnpass" "$scratch/bin/vpnpass"
	if command -v fish > /dev/null; then
		replies "family protos"
		completed_fish "vpnpass set esp "
		is "fish: set esp" "$out" "block hold_time off on strict"
		completed_fish "vpnpass -j restore --c"
		is "fish: an option" "$out" "--check"
		completed_fish "vpnpass restore $scratch/files/o"
		is "fish: a file" "$out" "$scratch/files/one two"
	else
		skip "completion in fish" "fish is missing"
	fi
	if command -v zsh > /dev/null; then
		replies "family protos"
		completed_zsh vpnpass set esp ""
		is "zsh: set esp" "$out" "block hold_time off on strict"
		completed_zsh vpnpass -j restore --c
		is "zsh: an option" "$out" "--check"
		completed_zsh vpnpass restore f
		is "zsh: a file" "$out" files
	else
		skip "completion in zsh" "zsh is missing"
	fi
	rm "$scratch/bin/vpnpass"
}

# The examples are run in a guest, by core/test_examples.sh.
test_man()
{
	if command -v mandoc > /dev/null; then
		is "mandoc -Tlint" "$(mandoc -Tlint "$top"/tools/man/*.[1-9] 2>&1 |
			grep -v "mandoc.db\|referenced manual not found")" ""
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
test_save
test_save_file
test_restore_syntax
test_restore
test_restore_by_hand
test_prometheus
test_counters
test_settings
test_width
test_terminal
test_json_everywhere
test_brief
test_top
test_monitor_filters
test_declarative
test_schema
test_syslog
test_power_cut
test_restore_boot
test_set
test_refusals
test_missing
test_loading
test_monitor
test_stamps
test_monitor_live
test_doctor
test_unwritable
test_broken_pipe
test_many
test_completion
test_completion_shells
test_man
mutations 200 sessions session
mutations 200 protos show
done_testing
