#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# dkms builds, signs and installs the modules by dkms.conf, and takes them away
# again. Compiling takes a quarter of an hour where the CPU is emulated, so dkms
# runs on this machine, with trees of its own that leave the machine's alone; a
# guest then loads what it installed.
# run: host timeout=900
. "$(dirname "$0")/../lib.sh"
checktool dkms dkms
top=$(readlink -f "$selftests/..")
version=$(cat "$top/VERSION")
release=$("$selftests/vm/kernel" --release)
kdir=$("$selftests/vm/kernel" --kdir)
modules="vpnpass vpnpass_esp vpnpass_ike vpnpass_pptp vpnpass_l2tp"

is "dkms.conf and VERSION agree" \
	"$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")" "$version"
mkdir -p "$scratch/src/vpnpass-$version" "$scratch/dkms" "$scratch/modules/$release"
(cd "$top" && cp -r Kbuild Makefile VERSION dkms.conf kmod uapi scripts \
	"$scratch/src/vpnpass-$version/")
find "$scratch/src" \( -name '*.o' -o -name '.*.cmd' \) -delete

run_dkms()
{
	dkms "$@" --dkmstree "$scratch/dkms" --sourcetree "$scratch/src" \
		--installtree "$scratch/modules" -k "$release" --kernelsourcedir "$kdir" \
		--no-depmod
}

check "dkms install" run_dkms install "vpnpass/$version"
installed=$(find "$scratch/modules" -name 'vpnpass*.ko*' -printf '%f\n' | sed 's/\.ko.*//' |
	sort | tr '\n' ' ')
is "it installed every module" "$installed" \
	"$(printf '%s\n' $modules | sort | tr '\n' ' ')"
ko=$scratch/ko
mkdir "$ko"
find "$scratch/modules" -name 'vpnpass*.ko*' -exec cp {} "$ko/" \;
find "$ko" -name '*.xz' -exec xz -d {} \;
is "the version is in a module" "$(modinfo -F version "$ko/vpnpass.ko")" "$version"
check "a guest loads them" "$selftests/vm/run" --ko "$ko" -- bash -c \
	". '$selftests/lib.sh'; check load load_modules; check unload unload_modules; done_testing"
check "dkms remove" run_dkms remove "vpnpass/$version"
is "no module is left" "$(find "$scratch/modules" -name 'vpnpass*.ko*' | wc -l)" 0
done_testing
