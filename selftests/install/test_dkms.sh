#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# dkms builds, signs and installs the modules by dkms.conf, and takes them away
# again. Compiling takes a quarter of an hour where the CPU is emulated, so dkms
# runs on this machine, with trees of its own that leave the machine's alone; a
# guest then loads what it installed. First with a helper whose source is broken:
# the others have to be installed, and it has to be said.
# run: host timeout=1500
. "$(dirname "$0")/../lib.sh"
checktool dkms dkms
top=$(readlink -f "$selftests/..")
version=$(cat "$top/VERSION")
release=$("$selftests/vm/kernel" --release)
kdir=$("$selftests/vm/kernel" --kdir)
modules="vpnpass vpnpass_esp vpnpass_ike vpnpass_l2tp vpnpass_pptp "

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

# installed: prints the modules that are
installed()
{
	find "$scratch/modules" -name 'vpnpass*.ko*' -printf '%f\n' | sed 's/\.ko.*//' |
		sort | tr '\n' ' '
}

# take DIR: copies them there, unpacked
take()
{
	mkdir -p "$1"
	find "$scratch/modules" -name 'vpnpass*.ko*' -exec cp {} "$1/" \;
	find "$1" -name '*.xz' -exec xz -d {} \;
}

# description DIR MODULE
description()
{
	modinfo -F description "$1/$2.ko"
}

file=$scratch/src/vpnpass-$version/kmod/pptp/table.c
cp "$file" "$scratch/table.c"
echo 'int broken(void) { return no_such_thing; }' >> "$file"
check "a helper does not build: dkms install" run_dkms install "vpnpass/$version"
cp "$scratch/check" "$scratch/said"
check "a helper does not build: dkms install: it names the helper" \
	grep -q "WARNING: did not build.*$release: vpnpass_pptp *$" \
	"$scratch/said"
log=$(sed -n 's/^ *\(.*make\.log\)$/\1/p' "$scratch/said" | tail -n 1)
check "a helper does not build: dkms install: the log, which says why" grep -q no_such_thing "$log"
is "every module is there" "$(installed)" "$modules"
take "$scratch/broken"
check "one as a placeholder" eval \
	'description "$scratch/broken" vpnpass_pptp | grep -q placeholder'
check "dkms remove" run_dkms remove "vpnpass/$version"

cp "$scratch/table.c" "$file"
check "dkms install" run_dkms install "vpnpass/$version"
check_fails "without a warning" grep WARNING "$scratch/check"
is "without a warning: it installed every module" "$(installed)" "$modules"
ko=$scratch/ko
take "$ko"
check_fails "no placeholder" eval 'for m in $modules; do description "$ko" $m; done | grep placeholder'
is "the version is in a module" "$(modinfo -F version "$ko/vpnpass.ko")" "$version"
cat > "$scratch/guest" <<E2
. '$selftests/lib.sh'
check "all load" load_modules
check "all unload" unload_modules
VPNPASS_KO='$scratch/broken'
check "beside a broken one the others load" load_modules vpnpass_ike vpnpass_esp vpnpass_l2tp
check_fails "the broken one does not" insmod '$scratch/broken/vpnpass_pptp.ko'
check "the broken one does not: says why" eval 'dmesg | grep -q "vpnpass_pptp: did not build"'
check "unload" unload_modules
done_testing
E2
check "a guest loads them" "$selftests/vm/run" --ko "$ko" -- bash "$scratch/guest"
check "dkms remove again" run_dkms remove "vpnpass/$version"
is "no module is left" "$(find "$scratch/modules" -name 'vpnpass*.ko*' | wc -l)" 0
done_testing
