#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tool with 7,000 sessions of ten gateways: a file of over 20,000 lines is restored,
# listed, saved and the same again; the doctor looks at as many connections.
#
#   r (masquerade) ---- g1; the clients are in the file only
# run: timeout=400
. "$(dirname "$0")/../lib.sh"
checktool jq

n=7000
check "topology" topo 1 1
check "modules load" load_modules vpnpass vpnpass_esp

python3 - $n $PUB "$(date +%s)" > "$scratch/file" <<-'P'
import sys, zlib
n, local, now = int(sys.argv[1]), *sys.argv[2:]
text = [f"vpnpass 1\nsaved {now}\nlocal {local}\n"]
for i in range(n):
    text.append(f"session esp client 10.{i >> 14}.{i >> 7 & 127}.{2 + (i & 127)} peer 192.0.2.{2 + i % 10} local {local} expires 3000\n"
                f"\tspi in 0x{0x10000 + i:08x} idle 1\n\tspi out 0x{0x90000 + i:08x} idle 1\n")
text = "".join(text)
print(text + "sum %08x" % zlib.crc32(text.encode()))
P

# took NAME SECONDS COMMAND...: output in $scratch/out, within so many seconds
took()
{
	local begin rc

	begin=$(now_ms)
	"${@:3}" > "$scratch/out" 2> "$scratch/err"
	rc=$?
	note "$1: $(($(now_ms) - begin)) ms"
	[ ! -s "$scratch/err" ] || note "$(head -n 3 "$scratch/err")"
	is "$1" $rc 0
	num "$1: in time" $(($(now_ms) - begin)) -lt $(($2 * 1000 * ${VPNPASS_SLOW:-1}))
}

# the sessions of a file, in one order
sessions_of()
{
	grep -v '^#\|^set\|^vpnpass\|^saved\|^sum' "$1" | sed -E 's/ (expires|idle) .*//' |
		paste -sd' ' | sed 's/ *session /\nsession /g' | sed 's/\t/ /g' |
		awk '$1 == "session" { a = b = ""
			for (i = 9; i <= NF; i += 3) if ($(i + 1) == "in") a = $(i + 2); else b = $(i + 2)
			print $4, $6, $8, a, b }' | sort
}

took "restore" 120 vp restore "$scratch/file"
is "all of them" "$(< "$scratch/out")" "0 switches, 0 settings and $n sessions restored"
took "session" 30 vp session
is "has a row and a line for each" "$(wc -l < "$scratch/out")" $((2 * n + 1))
took "session -j" 30 vp -j session
is "session -j: as JSON" "$(jq 'map(.client) | unique | length' "$scratch/out")" $n
took "session of one client" 10 vp -j session client 10.0.5.7
is "is one" "$(jq length "$scratch/out")" 1
check "session | head ends" eval "[ \"\$(vp session | head -n 1 | wc -l)\" = 1 ]"
took "save" 60 vp save "$scratch/again"
is "the same is saved" "$(sessions_of "$scratch/again" | cksum)" "$(sessions_of "$scratch/file" | cksum)"
num "the same is saved: not nothing" "$(sessions_of "$scratch/again" | wc -l)" -eq $n
took "doctor" 60 eval 'vp -j doctor || [ $? = 3 ]'
check "the same is saved: as JSON" jq -e 'type == "array"' "$scratch/out"
took "flush" 30 vp session flush
is "ends all" "$(< "$scratch/out")" "$n sessions ended"
took "restore again" 120 vp restore "$scratch/again"
is "restore again: as many" "$(vp -j session | jq length)" $n
check "modules unload" unload_modules
done_testing
