#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run by test_clean_debian.sh in a guest: the router's own programs (modprobe,
# vpnpass, the service's command, firewalld) are those installed in the clean
# system, into which it changes root. Clients and servers are other machines, and
# take theirs from this one. First by the service alone, then with firewalld,
# which drops what VPNs send until our policy is there.
# usage: clean_guest.sh ROOT
#
#   c1 ---+
#         +--- r (masquerade; later firewalld) ---- g1 (pptpd, xfrm SAs, L2TP)
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/demo/vpns.sh
. "$selftests/demo/vpns.sh"
root=$1
modules=(vpnpass vpnpass_esp vpnpass_ike vpnpass_l2tp vpnpass_pptp)

# inside COMMAND...: of the clean system
inside()
{
	chroot "$root" "$@"
}

# router COMMAND...: of the clean system, in the router's network
router()
{
	R chroot "$root" "$@"
}

# the tool for lib/tool.sh: the installed one
printf '#!/bin/sh\nexec chroot %q vpnpass "$@"\n' "$root" > "$scratch/vpnpass"
chmod +x "$scratch/vpnpass"
VPNPASS=$scratch/vpnpass

mount_all()
{
	local d

	for d in proc sys dev run; do
		mount --rbind /$d "$root/$d" || return 1
	done
}

loaded()
{
	ls -d /sys/module/vpnpass* 2> /dev/null
}

# works NAME VPN: both clients
works()
{
	local i

	! declare -F "$2_dial_both" > /dev/null || "$2_dial_both" > /dev/null 2>&1
	for i in 1 2; do
		"$2_try" $i 2> /dev/null
		is "$1: ${title[$2]}, client $i ($saw)" $? 0
	done
}

# fails NAME VPN: neither does
fails()
{
	local i

	for i in 1 2; do
		check_fails "$1: ${title[$2]}, client $i" "$2_try" $i
	done
}

check "topology" topo 2 1
check "the clean system's mounts" mount_all
check "modules load by name" inside modprobe -a "${modules[@]}"
check "the tool sees them" eval "vp show | grep -q ^esp"
check "the service's command unloads them" inside /usr/libexec/vpnpass/apply --unload
is "the service's command unloads them: none is left" "$(loaded)" ""
printf 'set esp block\n' > "$root/etc/test.conf"
check "the service's command unloads them: it loads and sets what a file says" \
	inside /usr/libexec/vpnpass/apply /etc/test.conf
is "blocked" "$(inside vpnpass -j show esp | jq -r '.[0].mode')" block
check "unload" inside /usr/libexec/vpnpass/apply --unload

# --- as installed --------------------------------------------------------------
for v in $vpns; do
	check "${title[$v]}: servers" "${v}_start"
done
check "the configuration as shipped" inside /usr/libexec/vpnpass/apply /etc/vpnpass.conf
for v in $vpns; do
	works "as installed" "$v"
done
for p in pptp esp l2tp; do
	num "vpnpass session: $p" "$(sessions proto $p)" -ge 2
done
is "vpnpass doctor has nothing against it" \
	"$(vp -j doctor 2> "$scratch/notes" | jq -c '[.[] | select(.severity == "error")]')" "[]"

# --- with firewalld ----------------------------------------------------------------
# zone NAME INTERFACE...
zone()
{
	local i

	for i in "${@:2}"; do
		router firewall-cmd -q --zone="$1" --change-interface="$i" || return 1
	done
}

firewalld_starts()
{
	mkdir -p /run/dbus
	spawn ip netns exec "${nsp}r" chroot "$root" dbus-daemon --system --nofork --nopidfile
	busywait 20 test -S /run/dbus/system_bus_socket || return 1
	spawn ip netns exec "${nsp}r" chroot "$root" firewalld --nofork --nopid
	busywait 120 router firewall-cmd --state || { tail -n 20 "$spawn_log"; return 1; }
	zone external wan && zone internal lan1 lan2
}

if [ ! -x "$root/usr/sbin/firewalld" ]; then
	skip "firewalld" "not in the clean system"
	done_testing
fi
modprobe -qa nf_tables nft_fib_inet nft_reject_inet nft_ct nft_masq nft_chain_nat
check "the admin's own rules go" R nft flush ruleset
check "firewalld starts" firewalld_starts
vp session flush > /dev/null
R conntrack -F 2> /dev/null
for v in esp l2tp l2tpv3; do
	fails "firewalld as it comes" "$v"
done
check "vpnpass doctor names the rule" eval "vp -j doctor 2> '$scratch/notes' | jq -e 'any(.[];
	.finding == \"nft-drop\" and (.seen | contains(\"table inet firewalld\")))'"
check "our policy is copied" cp "$root/usr/share/vpnpass/firewalld/policies/vpnpass.xml" \
	"$root/etc/firewalld/policies/"
check "our policy is copied: read" router firewall-cmd --reload
check "interfaces are in their zones" zone external wan
check "the others too" zone internal lan1 lan2
check "the policy is in force" eval \
	"router firewall-cmd --get-active-policies | grep -qx vpnpass"
R conntrack -F 2> /dev/null
vp session flush > /dev/null
for v in $vpns; do
	works "firewalld with our policy" "$v"
done
is "vpnpass doctor has nothing against it either" \
	"$(vp -j doctor 2> "$scratch/notes" | jq -c '[.[] | select(.severity == "error")]')" "[]"
C 1 python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
	b"x", ("'"${GIP[1]}"'", 1194))'
is "nothing else is let out" "$(R conntrack -L -p udp --dport 1194 2> /dev/null | wc -l)" 0
rm "$root/etc/firewalld/policies/vpnpass.xml"
done_testing
