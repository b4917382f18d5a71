# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The clean system that the guest has booted: the page is installed there by apt, as an
# administrator does it, and somebody who may use sudo gets a password. Sourced by
# pages/guest.sh, which runs beside that system, on the machine's root.
clean=/proc/1/root

# inside COMMAND...: of the clean system
inside()
{
	chroot $clean "$@"
}

# The modules are those that DKMS has put there. While they are to be missed the tool,
# which loads them for root, finds none.
unload_modules()
{
	rmmod vpnpass_esp vpnpass_ike vpnpass_pptp vpnpass_l2tp vpnpass &&
		echo "install vpnpass /bin/false" > $clean/etc/modprobe.d/missed.conf
}

load_modules()
{
	rm -f $clean/etc/modprobe.d/missed.conf
	inside modprobe -a "$@"
}

# tool: scripts that run beside the system call the vpnpass that is installed in it
tool()
{
	printf '#!/bin/sh\nexec chroot %s vpnpass "$@"\n' $clean > /usr/sbin/vpnpass
	chmod +x /usr/sbin/vpnpass
}

is_up()
{
	case $(inside systemctl is-system-running) in
	running | degraded) ;;
	*) false ;;
	esac
}

apt_page()
{
	rm -f $clean/usr/sbin/policy-rc.d
	inside env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 sh -c \
		'apt-get -q install -y /packages/cockpit-vpnpass_*.deb'
}

# a user as an installer makes the first one
user()
{
	inside useradd -m -s /bin/bash -G sudo admin && echo admin:passthrough | inside chpasswd
}

management()
{
	modprobe virtio_net || return 1
	busywait 20 test -e /sys/class/net/eth0 || { ip link; return 1; }
	ip addr add 10.9.0.15/24 dev eth0 && ip link set eth0 up
}

listens()
{
	ss -Hltn | grep -q ':9090 '
}

# in_journal FILTER: jq's, which an entry of ours in the journal has to meet
in_journal()
{
	inside journalctl -t vpnpass -o json | jq -es "any(.[]; $1)"
}

# system_points: what a system with systemd makes of sessions
system_points()
{
	local prom=$clean/var/lib/prometheus/node-exporter/vpnpass.prom

	check "journalctl -t vpnpass: who connected, as whom, with whom" busywait 30 in_journal \
		".VPNPASS_EVENT == \"session-new\" and .VPNPASS_CLIENT == \"${CIP[1]}\" and
		 .VPNPASS_LOCAL == \"$PUB\" and .VPNPASS_PEER == \"${GIP[1]}\""
	mkdir -p "${prom%/*}"
	check "the metrics' service" inside systemctl start vpnpass-metrics.service
	check "metrics: it is up" grep -qx "vpnpass_up 1" "$prom"
	check "metrics: both sessions" grep -qx 'vpnpass_sessions{proto="esp"} 2' "$prom"
	check "the state's service" inside systemctl start vpnpass-save.service
	is "both sessions are in the state" "$(grep -c ^session $clean/var/lib/vpnpass/state)" 2
}

tool
check "the system is up" busywait 300 is_up
note "$(inside systemctl --failed --no-legend --plain)"
is "vpnpass.service runs" "$(inside systemctl is-active vpnpass.service)" active
check "events go to the journal" inside systemctl enable --now vpnpass-events.service
check "apt install ./cockpit-vpnpass_*.deb" apt_page
check "somebody with a password" user
check "cockpit listens" busywait 60 listens
check "a device to reach it by" management
# the router of the tests is this system
ip netns attach "${nsp}r" 1
