#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The router behind the pages: two clients with a VPN each, the modules, the tool and
# the scripts that pages call. It runs what is put into the folder $VPNPASS_OUT/rpc
# (see in_guest) until there is a file "stop". Called by check.sh in a guest.
# With the argument "installed" the router is the guest itself, a system of its own that
# has the packages: see install/test_cockpit.sh.
. "$(dirname "$0")/../lib.sh"
top=$(readlink -f "$selftests/..")
rpc=$VPNPASS_OUT/rpc

install_scripts()
{
	mkdir -p /usr/libexec/vpnpass "$scratch/bin"
	cp "$top"/packaging/{persist,remedy,examine,apply} /usr/libexec/vpnpass/
	ln -s "$VPNPASS" /usr/local/sbin/vpnpass
	ln -sf "$VPNPASS" /usr/sbin/vpnpass
	# apply finds all modules loaded
	printf '#!/bin/sh\nexit 0\n' > "$scratch/bin/modprobe"
	chmod +x "$scratch/bin/modprobe"
	export MODPROBE=$scratch/bin/modprobe RMMOD=$scratch/bin/modprobe
	rm -f /etc/vpnpass.conf
}

# serve FILE: runs it in the router's netns, or as a part of this script
serve()
{
	local id=${1%.cmd}

	if head -n 1 "$1" | grep -q '^# here'; then
		# shellcheck source=/dev/null
		. "$1" > "$id.out" 2> "$id.err" < /dev/null
	else
		R bash "$1" > "$id.out" 2> "$id.err" < /dev/null
	fi
	echo $? > "$id.rc.new"
	rm "$1"
	mv "$id.rc.new" "$id.rc"
}

if [ "${1-}" = installed ]; then
	. "$top/selftests/install/cockpit_guest.sh"
	check "topology" topo 2 1
	check "SAs" esp_up "1 2"
else
	check "topology" topo 2 1
	check "SAs" esp_up "1 2"
	check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike vpnpass_pptp \
		vpnpass_l2tp
	check "scripts" install_scripts
fi
echo "${GIP[1]} vpn.example" >> "${clean-}/etc/hosts"
check "both clients' VPNs work" esp_settle "1 2"
! declare -F system_points > /dev/null || system_points
touch "$rpc/ready"
while [ ! -e "$rpc/stop" ]; do
	for file in "$rpc"/*.cmd; do
		[ ! -e "$file" ] || serve "$file"
	done
	sleep 0.1
done
done_testing
