#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Installs what building, booting and testing take, on Debian and its kin, and
# does nothing when all is there. No service is started by it.
# usage: deps.sh [SET...]	build vm peers lint checkpatch cross s390x upstream pack debug
#			pages ynl managers (default: build vm)
set -u

set_build="gcc make libc6-dev linux-headers-amd64 kmod libmnl-dev pkg-config python3 python3-yaml
python3-jsonschema"
set_vm="qemu-system-x86 busybox-static cpio xz-utils zstd kmod iproute2 nftables conntrack \
iptables iputils-ping ethtool python3 util-linux procps binutils jq gcc make libc6-dev"
set_peers="dkms strongswan-swanctl strongswan-charon ppp pptp-linux pptpd xl2tpd tcpdump socat conntrackd ufw"
set_cross="gcc-aarch64-linux-gnu gcc-s390x-linux-gnu gcc-arm-linux-gnueabihf libc6-dev-s390x-cross
libc6-dev-armhf-cross qemu-user-static clang lld llvm sparse"
set_s390x="qemu-system-misc gcc-s390x-linux-gnu libc6-dev-s390x-cross"
set_upstream="linux-source-6.1 netcat-openbsd iperf3 iptables socat conntrack"
set_pack="dpkg-dev debhelper dh-dkms lintian debootstrap"
set_debug="linux-source flex bison bc libelf-dev libssl-dev xz-utils"
set_lint="shellcheck sparse yamllint mandoc clang lld llvm perl fish zsh"
set_pages="chromium chromium-driver cockpit-ws cockpit-bridge cockpit-system nodejs appstream
prometheus python3-jsonschema"
set_managers="ufw ipset firewalld docker.io libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients
libvirt-daemon-config-network dnsmasq-base"
set_checkpatch="linux-source-6.1 xz-utils"
set_ynl="linux-source-6.12 python3-yaml python3-jsonschema xz-utils"

step()
{
	echo "deps: $*"
}

missing=()
[ $# -gt 0 ] || set -- build vm
for s; do
	name=set_$s
	[ -n "${!name-}" ] || { sed -n 's/^# usage/usage/p' "$0" >&2; exit 2; }
	for p in ${!name}; do
		case " ${missing[*]} " in *" $p "*) continue ;; esac
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2> /dev/null)" = installed ] ||
			missing+=("$p")
	done
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get > /dev/null || {
	echo "deps: this is no Debian; needed: ${missing[*]}" >&2
	exit 1
}
sudo=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo > /dev/null || { echo "deps: root or sudo is needed" >&2; exit 1; }
	sudo=(sudo)
fi

# Daemons that come with a package must not start here. Whoever has a policy
# of their own keeps it.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '"${sudo[@]}" rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee $policy > /dev/null
	"${sudo[@]}" chmod +x $policy
fi

apt()
{
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" \
		> "$log" 2>&1 < /dev/null || { tail -n 15 "$log" >&2; return 1; }
}

log=$(mktemp)
n=${#missing[@]}
step "reading package lists"
apt update || step "the lists could not be read; trying with what is known"
step "installing $n packages: ${missing[*]}"
if ! apt install -y --no-install-recommends "${missing[@]}"; then
	step "failed"
	exit 1
fi
step "done after $SECONDS s"
rm -f "$log"
