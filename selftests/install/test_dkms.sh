#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# dkms install builds, signs and installs the modules for the running kernel, and
# modprobe then finds them; dkms remove takes them away again. In the guest alone.
# run: mem=1536 timeout=1500 alone
. "$(dirname "$0")/../lib.sh"
checktool dkms dkms
top=$(readlink -f "$selftests/..")
version=$(cat "$top/VERSION")
release=$(uname -r)
[ -n "${VPNPASS_VM-}" ] || skip_all "installs modules: in a guest only"

is "dkms.conf and VERSION agree" \
	"$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")" "$version"
mkdir -p "/usr/src/vpnpass-$version"
(cd "$top" && cp -r Kbuild Makefile VERSION dkms.conf kmod uapi scripts "/usr/src/vpnpass-$version/")
find "/usr/src/vpnpass-$version" -name '*.o' -delete
check "dkms install" dkms install --no-depmod "vpnpass/$version"
is "its status" "$(dkms status vpnpass | grep -o installed)" installed
depmod "$release"
for m in vpnpass vpnpass_esp; do
	check "modinfo knows $m" modinfo "$m"
done
is "the version is in the module" "$(modinfo -F version vpnpass)" "$version"
check "modprobe a helper" modprobe vpnpass_esp
check "the core came with it" test -d /sys/module/vpnpass
is "the switch is on" "$(cat /proc/sys/net/vpnpass/esp)" 1
check "and off" modprobe -r vpnpass_esp
check "dkms remove" dkms remove "vpnpass/$version" --all
check_fails "no module is left" find "/lib/modules/$release" -name 'vpnpass*' -exec false {} +
done_testing
