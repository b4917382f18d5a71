#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A firewall's manager as Debian has it, with its daemon, in the network namespace of the
# caller and in a mount and a PID namespace of its own ("unshare -mpf --kill-child"): its
# files are copies that nobody else sees, and nothing of it outlives its input.
#
#   managers.sh NAME            says its PID as it is outside once it is at work, or nothing
#                               where there is none, and stays until its input ends
#   managers.sh NAME reload     in there: has it make its rules anew
set -u

# private DIRECTORY...: a copy of each, or an empty one in its place
private()
{
	mkdir -p "/run/copies$1" && cp -a "$1/." "/run/copies$1" && mount --bind "/run/copies$1" "$1"
}

# until_works COMMAND...: for half a minute at most
until_works()
{
	end=$(($(date +%s) + 30))
	until "$@" > /dev/null 2>&1; do
		[ "$(date +%s)" -lt $end ] || return
		sleep 0.1
	done
}

ufw_begin()
{
	private /etc/ufw && ufw --force enable
}

ufw_reload()
{
	ufw reload
}

firewalld_begin()
{
	mkdir -p /run/dbus /run/firewalld
	private /etc/firewalld
	dbus-daemon --system --nofork --nopidfile &
	until_works test -S /run/dbus/system_bus_socket
	firewalld --nofork --nopid &
	until_works firewall-cmd --state
}

firewalld_reload()
{
	firewall-cmd --reload
}

# Docker switches the policy of FORWARD where it is what turns forwarding on.
docker_begin()
{
	echo 0 > /proc/sys/net/ipv4/ip_forward && docker_run
}

docker_run()
{
	dockerd --storage-driver vfs --data-root /run/data > /run/log 2>&1 &
	until_works docker version
}

docker_reload()
{
	pkill -x dockerd
	until_works sh -c '! pgrep -x dockerd'
	docker_run < /dev/null > /dev/null
}

# The driver of networks alone, which needs neither QEMU nor its user.
libvirt_begin()
{
	drivers=/usr/lib/$(uname -m)-linux-gnu/libvirt/connection-driver
	mkdir -p /run/libvirt /run/drivers
	private /var/lib/libvirt
	mkdir -p /var/lib/libvirt/dnsmasq
	ln -s "$drivers/libvirt_driver_network.so" /run/drivers
	LIBVIRT_DRIVER_DIR=/run/drivers libvirtd > /run/log 2>&1 &
	until_works virsh -c network:///system net-list &&
		virsh -c network:///system net-start default
}

libvirt_reload()
{
	virsh -c network:///system net-destroy default &&
		virsh -c network:///system net-start default
}

program()
{
	case $1 in
	docker) echo dockerd ;;
	libvirt) echo libvirtd ;;
	*) echo "$1" ;;
	esac
}

if [ "${2-}" = reload ]; then
	"$1_reload"
	exit
fi
# This PID is the one that the mount of /proc outside knows.
read -r pid _ < /proc/self/stat
command -v "$(program "$1")" > /dev/null || exit
mount --make-rprivate / && mount -t proc proc /proc && mount -t tmpfs none /run || exit
"$1_begin" > /run/begun 2>&1 < /dev/null || { cat /run/begun /run/log >&2; exit; }
echo "$pid"
exec > /dev/null
cat
