# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# IKE by the message, with peers/ike_sim: client i is "ci", gateway j is "gj",
# each a socket on port 500. Sourced by the tests of this folder after lib.sh.
# ms that a message may take; emulated CPUs are slow
sim_wait=$((${SIM_WAIT:-800} * ${VPNPASS_SLOW:-1}))
sim_port=500 sim6=

sim_start()
{
	coproc SIM { exec "$(peer ike_sim)" 2>&1; }
	# shellcheck disable=SC2154 # SIM_PID is coproc's
	spawned+=("$SIM_PID")
}

# sim WORD...: a line to the simulator; its answer in $got
sim()
{
	echo "$*" >&"${SIM[1]}"
	read -r -t $((30 * ${VPNPASS_SLOW:-1})) got <&"${SIM[0]}"
}

# sim_ip NAME: the address of ci or gj in $ip
sim_ip()
{
	case $sim6$1 in
	6c*) ip=${CIP6[${1#c}]} ;;
	6g*) ip=${GIP6[${1#g}]} ;;
	c*) ip=${CIP[${1#c}]} ;;
	g*) ip=${GIP[${1#g}]} ;;
	esac
}

# sim_open NAME...: "c1", "g1", ...
sim_open()
{
	local n

	for n; do
		sim_ip "$n"
		sim open "$n" "$nsp$n" "$ip" "$sim_port"
		[ "$got" = ok ] || { echo "$n: $got"; return 1; }
	done
}

# tell FROM ADDR PORT VER EXCHANGE FLAGS ISPI RSPI MID LEN: sent in the way of $how,
# "send", or another word of ike_sim
tell()
{
	# shellcheck disable=SC2086
	sim ${how:-send} "$@"
	[ "$got" = ok ]
}

# hear NAME [MS]: waits for one message: $from, $port, $what (the rest), $spis
hear()
{
	sim recv "$1" "${2:-$sim_wait}"
	# shellcheck disable=SC2034
	read -r from port what <<< "$got"
	[ "$got" != - ]
}

# heard NAME REGEX: the next message looks so
heard()
{
	if ! hear "$1" || ! [[ "$from $port $what" =~ $2 ]]; then
		echo "$1 got '$got', wanted '$2'"
		return 1
	fi
}

# quiet NAME...: nothing is there or comes within a moment
quiet()
{
	local n

	for n; do
		sim recv "$n" 150
		[ "$got" = - ] || { echo "$n got '$got'"; return 1; }
	done
}

# drain NAME...
drain()
{
	local n

	for n; do
		sim recv "$n" 0
		while [ "$got" != - ]; do sim recv "$n" 0; done
	done
}

spi() { printf '0x%016x' $(($1)); }

# out i VER EXCHANGE FLAGS ISPI RSPI MID LEN: from client i to gateway $gw (1)
out()
{
	sim_ip "g${gw:-1}"
	tell "c$1" "$ip" 500 "${@:2}"
}

# in PORT VER EXCHANGE ...: from the gateway to that port of the router
in_()
{
	local pub=$PUB

	[ -z "$sim6" ] || pub=$PUB6
	tell "g${gw:-1}" "$pub" "$@"
}

# passes_out i REGEX VER ...: client i sends, the gateway hears it from port REGEX
passes_out()
{
	out "$1" "${@:3}" || { echo "client $1 cannot send: $got"; return 1; }
	heard "g${gw:-1}" "^[^ ]+ $2 "
}

# passes_in i VER EXCHANGE FLAGS ...: the gateway answers to port $to (500), and
# client i hears it
passes_in()
{
	in_ "${to:-500}" "${@:2}" || return 1
	heard "c$1" "^[^ ]+ 500 $2 $3 "
}

# v2_init i ISPI RSPI: the first two messages of IKEv2
v2_init()
{
	passes_out "$1" "${to:-500}" 2 34 I "$2" 0 0 300 && passes_in "$1" 2 34 R "$2" "$3" 0 300
}

# v2_auth i ISPI RSPI: the next two; IKE SA and a child SA are up
v2_auth()
{
	passes_out "$1" "${to:-500}" 2 35 I "$2" "$3" 1 300 && passes_in "$1" 2 35 R "$2" "$3" 1 300
}

v2_up()
{
	v2_init "$@" && v2_auth "$@"
}

# v2_child i ISPI RSPI MID: a CREATE_CHILD_SA exchange that the client begins
v2_child()
{
	passes_out "$1" 500 2 36 I "$2" "$3" "$4" 300 && passes_in "$1" 2 36 R "$2" "$3" "$4" 300
}

# v1_main i ISPI RSPI: IKEv1 main mode
v1_main()
{
	local n

	passes_out "$1" 500 1 2 - "$2" 0 0 200 && passes_in "$1" 1 2 - "$2" "$3" 0 100 || return 1
	passes_out "$1" 500 1 2 - "$2" "$3" 0 220 && passes_in "$1" 1 2 - "$2" "$3" 0 220 || return 1
	passes_out "$1" 500 1 2 E "$2" "$3" 0 92 && passes_in "$1" 1 2 E "$2" "$3" 0 92
}

# v1_quick i ISPI RSPI MID: quick mode, its three messages
v1_quick()
{
	passes_out "$1" 500 1 32 E "$2" "$3" "$4" 172 && passes_in "$1" 1 32 E "$2" "$3" "$4" 172 &&
		passes_out "$1" 500 1 32 E "$2" "$3" "$4" 60
}

# ike_state i: state of client i's IKE session
ike_state()
{
	sim_ip "c$1"
	vp -j session proto ike client "$ip" | jq -r '.[0].state'
}
