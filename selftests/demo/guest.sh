#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The demonstration itself, in the guest of vm/demo: two clients of each VPN
# (vpns.sh) on stock Linux and then, the modules loaded, once more. Exit code 0
# when stock Linux fails as it should and with vpnpass all works.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/demo/vpns.sh
. "$(dirname "$0")/vpns.sh"
tap_done=1	# the demo speaks to people, not TAP
declare -A result=()

# give_up TEXT
give_up()
{
	echo "$1"
	exit 1
}

introduce()
{
	local v

	cat <<-E

	Two clients behind one NAT router, and each VPN's server outside:

	  client 1  ${CIP[1]} ---+
	                        +--- router (masquerade, $PUB) ---- server ${GIP[1]}
	  client 2  ${CIP[2]} ---+

	E
	for v in $vpns; do
		printf '  %-16s %s\n' "${title[$v]}" "${about[$v]}"
	done
}

# start_all: what cannot be started here is not shown, and the exit code says so
start_all()
{
	local v all=$vpns

	topo 2 1 > "$scratch/start" 2>&1 || give_up "no topology: $(cat "$scratch/start")"
	introduce
	printf '\nStarting the servers ...\n'
	vpns=
	for v in $all; do
		if "${v}_start" > "$scratch/start" 2>&1; then
			vpns+=" $v"
		else
			printf '  %s cannot be shown: %s\n' "${title[$v]}" "$(cat "$scratch/start")"
			not_shown+=" $v"
		fi
	done
}
not_shown=

# try VPN LINUX: with both clients; what came of it goes to result[VPN LINUX]
try()
{
	local i word words=()

	! declare -F "$1_dial_both" > /dev/null || "$1_dial_both" > /dev/null 2>&1
	for i in 1 2; do
		saw=
		word=FAILS
		printf '  %-16s client %d: ' "${title[$1]}" $i
		! "$1_try" $i 2> /dev/null || word=ok
		printf '%-40s %s\n' "$saw" $word
		words+=("$word")
	done
	result[$1 $2]=${words[*]}
}

try_all()
{
	local v

	for v in $vpns; do
		try "$v" "$1"
	done
}

# shown COMMAND...: the tool, in the router's namespace
shown()
{
	printf '\n  # vpnpass %s\n' "$*"
	vp "$@" 2>&1 | sed 's/^/  /'
}

table()
{
	local v i a b

	printf '\n  %-18s %-8s %-14s %s\n' VPN client "stock Linux" "with vpnpass"
	for v in $vpns; do
		for i in 1 2; do
			read -ra a <<< "${result[$v stock]}"
			read -ra b <<< "${result[$v vpnpass]}"
			printf '  %-18s %-8s %-14s %s\n' "${title[$v]}" $i "${a[i - 1]}" "${b[i - 1]}"
		done
	done
}

# as_promised: says what is not
as_promised()
{
	local v rc=0

	for v in $vpns; do
		[ "${result[$v stock]}" = "${stock[$v]}" ] ||
			{ echo "${title[$v]}: stock Linux should give: ${stock[$v]}"; rc=1; }
		[ "${result[$v vpnpass]}" = "ok ok" ] ||
			{ echo "${title[$v]}: vpnpass should serve both clients"; rc=1; }
	done
	return $rc
}

start_all
printf '\n1. Stock Linux %s, no module of vpnpass\n\n' "$(uname -r)"
try_all stock
printf '\n2. The same connections, with vpnpass in the router\n\n'
echo "  # modprobe -a vpnpass_esp vpnpass_ike vpnpass_pptp vpnpass_l2tp   (here: those just built)"
echo
load_modules > "$scratch/load" 2>&1 || give_up "no modules: $(cat "$scratch/load")"
try_all vpnpass
printf '\nWhat the router knows of them now:\n'
shown show
shown session
printf '\n3. In short\n'
table
cat <<-E

On stock Linux no PPTP helper is attached, as none is unless a rule asks for it;
selftests/pptp/test_head_to_head.sh compares the kernel's own one with vpnpass.

E
as_promised || exit 1
[ -z "$not_shown" ] || give_up "Not everything could be shown."
echo "With vpnpass both clients of each VPN work; on stock Linux those that say FAILS do not."
