#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The Debian packages on a Debian that has nothing but its base: installed by
# apt, a newer kernel comes, removed, purged. The system is a chroot, as DKMS
# compiles (a quarter of an hour where the CPU is emulated); in a guest with the
# newer kernel it is then the router of two clients of each VPN (clean_guest.sh).
# run: host timeout=4800
# named only: it fetches a Debian and compiles everything twice; make check-install
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/vm/common.sh
. "$selftests/vm/common.sh"
# shellcheck source=selftests/vm/debian.sh
. "$selftests/vm/debian.sh"
need_root
checktool debootstrap debootstrap
checktool dh_dkms dh-dkms
top=$(readlink -f "$selftests/..")
version=$(cat "$top/VERSION")
# shellcheck source=selftests/install/clean.sh
. "$selftests/install/clean.sh"
modules="vpnpass vpnpass_esp vpnpass_ike vpnpass_l2tp vpnpass_pptp"

# kernels: prints the two newest that have headers, of the default series
kernels()
{
	local new

	new=$(in_root apt-cache depends linux-headers-amd64 |
		sed -n 's/.*Depends: linux-headers-//p')
	in_root apt-cache pkgnames "linux-headers-${new%%-*}" | sed 's/linux-headers-//' |
		grep -E '^[^-]*-[0-9]+-amd64$' | sort -V | tail -n 2
}

# installed KERNEL: prints which modules DKMS put there
installed()
{
	find "$root/lib/modules/$1" -name 'vpnpass*.ko*' -printf '%f\n' 2> /dev/null |
		sed 's/\.ko.*//' | sort | tr '\n' ' '
}

check "make deb" make -s -C "$top" deb
check "a clean $suite" clean_base
check "its package lists" clean_settle
mapfile -t kernel < <(kernels)
old=${kernel[0]} new=${kernel[1]-}
note "kernels: $old, then $new"
mkdir "$root/packages"
cp "$top"/build/deb/vpnpass_*.deb "$top"/build/deb/vpnpass-dkms_*.deb "$root/packages/"

check "headers of a kernel" in_root apt-get -q install -y --no-install-recommends \
	"linux-headers-$old"
check "apt install ./vpnpass-dkms_*.deb ./vpnpass_*.deb" in_root sh -c \
	'apt-get -q install -y --no-install-recommends /packages/vpnpass-dkms_*.deb /packages/vpnpass_*.deb'
is "built for it: every module" "$(installed "$old")" "$modules "
check "dkms says so" eval "in_root dkms status vpnpass/$version | grep -q '$old.*: installed'"
check "the service is enabled" test -L \
	"$root/etc/systemd/system/multi-user.target.wants/vpnpass.service"
check "the tool runs" in_root vpnpass -V

if [ -n "$new" ]; then
	check "a newer kernel" in_root apt-get -q install -y --no-install-recommends \
		"linux-headers-$new"
	is "built for it too, by itself" "$(installed "$new")" "$modules "
	is "built for it too, by itself: still there for the older" \
		"$(installed "$old")" "$modules "
else
	new=$old
	skip "a newer kernel" "the mirror has one only"
fi

# firewalld reads what the package brings, and the policy once it is copied
check "firewalld" in_root apt-get -q install -y --no-install-recommends firewalld netbase
cp "$root"/usr/share/vpnpass/firewalld/policies/vpnpass.xml "$root/etc/firewalld/policies/"
check "firewalld takes our services and policy" in_root firewall-offline-cmd --check-config
is "firewalld takes our services and policy: knows what they open" \
	"$(in_root firewall-offline-cmd --policy vpnpass --list-services)" \
	"vpnpass-ipsec vpnpass-l2tp vpnpass-pptp"
rm "$root/etc/firewalld/policies/vpnpass.xml"

if kernel_modules "$new"; then
	"$selftests/vm/run" --kernel "$new" --mem 2048 --timeout 1500 --out "$scratch/vm" -- \
		"$selftests/install/clean_guest.sh" "$root" > "$scratch/run" 2>&1
	is "that kernel boots, and all VPNs work" $? 0
	points_of "$scratch/vm/log" "guest: "
	num "guest: all of it was run" $n_points -ge 40
	rm -rf "$root/lib/modules/$new/kernel"
else
	skip "that kernel boots, and all VPNs work" "no image of $new"
fi

check "apt remove" in_root apt-get -q remove -y vpnpass vpnpass-dkms
is "no module is left" "$(installed "$old")$(installed "$new")" ""
is "no DKMS entry is left" "$(in_root dkms status vpnpass)" ""
[ ! -e "$top/packaging/vpnpass.conf" ] ||
	check "the configuration is kept" test -e "$root/etc/vpnpass.conf"
check "apt purge" in_root apt-get -q purge -y vpnpass vpnpass-dkms
is "nothing is left" "$(cd "$root" && find . -name '*vpnpass*' ! -path './packages/*' \
	! -path './proc/*' ! -path './var/log/*' ! -path './var/cache/apt/*')" ""
done_testing
