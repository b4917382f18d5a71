#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# README's "From source": make && make install, here into a folder, from a copy of
# the tree. What it puts there is found by modprobe, man and bash.
# run: host timeout=900
. "$(dirname "$0")/../lib.sh"

checktool depmod kmod
checktool git git
top=$(readlink -f "$selftests/..")
root=$scratch/root
modules="vpnpass vpnpass_esp vpnpass_ike vpnpass_l2tp vpnpass_pptp"
kdir=$("$selftests/vm/kernel" --kdir)

mkdir "$scratch/src"
(cd "$top" && git ls-files -z Kbuild Makefile VERSION docs kmod packaging scripts uapi tools |
	xargs -0 cp --parents -t "$scratch/src")
before=$(find /lib/modules /usr/local -newer "$scratch/src/VERSION" 2> /dev/null | sort)

check "make" make -s -C "$scratch/src" KDIR="$kdir"
check "make install" make -s -C "$scratch/src" KDIR="$kdir" DESTDIR="$root" install
release=$("$selftests/vm/kernel" --release)
is "every module" "$(find "$root/lib/modules/$release" -name '*.ko*' -printf '%f\n' |
	sed 's/\.ko.*//' | sort | paste -sd' ')" "$modules"
# without the kernel's own, depmod has not all it wants
depmod -b "$root" "$release" 2> /dev/null
for m in $modules; do
	check "modprobe finds $m" modprobe -d "$root" -S "$release" -n --ignore-install "$m"
done
check "the tool runs" "$root/usr/local/sbin/vpnpass" -V
for page in vpnpass.8 vpnpass-doctor.8 vpnpass.4 vpnpass.conf.5; do
	check "$page" test -s "$root/usr/local/share/man/man${page##*.}/$page"
done
check "completion" test -s "$root/usr/local/share/bash-completion/completions/vpnpass"
check "the service's unit and its configuration" test -s \
	"$root/usr/local/lib/systemd/system/vpnpass.service" -a -s "$root/etc/vpnpass.conf"
is "nothing of it outside of that folder" \
	"$(find /lib/modules /usr/local -newer "$scratch/src/VERSION" 2> /dev/null | sort)" "$before"
is "modules can be tried from where they are built, as README says" \
	"$(cd "$scratch/src" && modinfo -F depends ./vpnpass.ko) $(cd "$scratch/src" &&
		modinfo -F name ./vpnpass_esp.ko)" "nf_conntrack,nf_nat vpnpass_esp"
done_testing
