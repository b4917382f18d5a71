#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The page on a Debian that has nothing but its base and the router's packages: that system
# boots with its systemd, the page is installed there by apt, and chromium on this machine
# logs in with a user's password, becomes administrator, and goes through the page as
# pages/page_test.py does with every other router. Beside that, what only a system with
# systemd shows: events in its journal, the timer's metrics. cockpit_guest.sh is its part
# in the guest.
# run: host timeout=3000
# named only: it fetches a Debian and boots it where the CPU may be emulated; make check-install
#
#   chromium --- https --- 10.9.0.15 r (the clean Debian, masquerade) --- g1
#   c1, c2 ------------------------- r
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/vm/common.sh
. "$selftests/vm/common.sh"
# shellcheck source=selftests/vm/debian.sh
. "$selftests/vm/debian.sh"
need_root
checktool debootstrap
checktool dh_dkms dh-dkms
checktool chromium
checktool chromedriver chromium-driver
top=$(readlink -f "$selftests/..")
# shellcheck source=selftests/install/clean.sh
. "$selftests/install/clean.sh"
# shellcheck source=selftests/pages/router.sh
. "$selftests/pages/router.sh"
router_has="systemd-sysv libpam-systemd dbus udev sudo procps iproute2 nftables linux-headers-amd64"

check "make deb" make -s -C "$top" deb
check "a clean $suite" clean_base
check "its package lists" clean_settle
# shellcheck disable=SC2086
check "a router's packages" in_root apt-get -q install -y --no-install-recommends $router_has
mkdir -p "$root/packages"
cp "$top"/build/deb/*.deb "$root/packages/"
check "vpnpass and its modules" in_root sh -c \
	'apt-get -q install -y --no-install-recommends /packages/vpnpass-dkms_*.deb /packages/vpnpass_*.deb'
# the guest has no way out; apt finds this in its cache
check "what the page's package needs is fetched" in_root sh -c \
	'apt-get -q install -y --download-only /packages/cockpit-vpnpass_*.deb'
kernel=$(in_root dkms status vpnpass | sed -n 's/.*, \([^,]*-amd64\), .*: installed.*/\1/p')
check "the kernel's modules" kernel_modules "$kernel"

port=$((20000 + RANDOM % 10000))
at_exit router_stop
router_start --kernel "$kernel" --mem 2048 --timeout 2400 --system "$root" --forward $port -- \
	"$selftests/pages/guest.sh" installed
page_points cockpit "https://127.0.0.1:$port/cockpit/@localhost/vpnpass/index.html" \
	"'$pages/in_guest' cat /proc/1/root/etc/vpnpass.conf" admin passthrough
router_stop
points_of "$scratch/out/log" "guest: "
num "guest: all of it was run" $n_points -ge 16
done_testing
