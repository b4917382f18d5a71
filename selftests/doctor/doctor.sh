# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts of this folder share: asking the doctor, and traffic that
# gives him something to see.

# doctor: asks him; JSON in $scratch/doctor, notes in $scratch/notes, his exit
# code in $doctor_rc
doctor()
{
	vp -j doctor > "$scratch/doctor" 2> "$scratch/notes"
	doctor_rc=$?
}

# say_doctor: what he said, as diagnostics
say_doctor()
{
	note "exit code $doctor_rc: $(jq -c '.[]' "$scratch/doctor" 2>&1; cat "$scratch/notes")"
}

# found NAME CODE [FILTER]: he finds it; FILTER is jq's, on that finding
found()
{
	doctor
	if [ $doctor_rc = 3 ] && jq -e "any(.[]; .finding == \"$2\" and (.severity | length) > 0 and
		(.seen | length) > 0 and (.do | length) > 0 and (${3:-true}))" \
		"$scratch/doctor" > /dev/null; then
		ok "$1"
	else
		not_ok "$1"
		say_doctor
	fi
}

# not_found NAME CODE [FILTER]: he looks, and finds no such thing
not_found()
{
	doctor
	if { [ $doctor_rc = 0 ] || [ $doctor_rc = 3 ]; } && [ -s "$scratch/doctor" ] &&
	   jq -e "all(.[]; .finding != \"$2\" or (${3:-true} | not))" "$scratch/doctor" \
		> /dev/null; then
		ok "$1"
	else
		not_ok "$1"
		say_doctor
	fi
}

# rules TABLE-BODY: replaces table inet fw of the router
rules()
{
	R nft -f - <<-N
	table inet fw
	delete table inet fw
	table inet fw {
	$1
	}
	N
}

no_rules()
{
	R nft delete table inet fw
}

# handle CHAIN REGEX: prints the handle of the rule of table inet fw that
# matches
handle()
{
	R nft -a list chain inet fw "$1" | sed -n "/$2/s/.* # handle //p"
}

# send i TO WHAT...: client i sends one packet of each: PORT (UDP, from the same
# port when it is 500 or 4500), or IP protocols esp, gre, l2tp3; syn opens TCP 1723
send()
{
	C "$1" python3 - "${@:2}" <<-'P'
	import socket, sys
	to = sys.argv[1]
	raw = {"esp": (50, "000010010000000100112233"), "gre": (47, "3001880b00000001"),
	       "l2tp3": (115, "0000123400000000")}
	for what in sys.argv[2:]:
	    if what in raw:
	        s = socket.socket(socket.AF_INET, socket.SOCK_RAW, raw[what][0])
	        s.sendto(bytes.fromhex(raw[what][1]), (to, 0))
	    elif what == "syn":
	        s = socket.socket()
	        s.setblocking(False)
	        s.connect_ex((to, 1723))
	        hold = s
	    else:
	        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	        if what in ("500", "4500"):
	            s.bind(("", int(what)))
	        s.sendto(b"x" * 16, (to, int(what)))
	P
}

# answer NS BEHAVIOUR...: a gateway of selftests/peers/vpn_responder.py; its
# output in $responder_log, ended by end_answer
answer()
{
	spawn ip netns exec "$nsp$1" "$selftests/peers/vpn_responder.py" "${@:2}"
	responder_log=$spawn_log responder_pid=$spawn_pid
	busywait 20 grep -q ready "$responder_log"
}

end_answer()
{
	kill "$responder_pid"
	wait "$responder_pid" 2> /dev/null
	return 0
}
