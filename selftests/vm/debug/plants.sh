#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does the debug lane see a bug of each kind? Each is planted in a guest of its
# own, as one report can switch the next checker off. Called by make check-debug.
# usage: plants.sh [KERNEL]
top=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=/dev/null
. "$top/lib/tap.sh"
vm=$top/vm
kernel=${1:-uml-debug}

build()
{
	local kdir more=()

	kdir=$("$vm/kernel" --kdir "$kernel") || return 1
	! grep -q '^CONFIG_UML=y' "$kdir/.config" || more=(ARCH=um UBSAN_SANITIZE=y)
	mkdir -p "$scratch/plant" && cp "$vm"/plant/* "$scratch/plant"
	make -C "$kdir" M="$scratch/plant" "${more[@]}" modules
}

# planted BUG CODE TEXT: the run has to end with that code and say so
planted()
{
	local rc

	"$vm/run" --kernel "$kernel" --mem 256 --timeout 240 --ko "$scratch/plant" \
		--out "$scratch/out" -- \
		sh -c "insmod \$VPNPASS_KO/plant.ko bug=$1; rmmod plant" > "$scratch/run" 2>&1
	rc=$?
	is "$1: exit code" $rc "$2"
	if [ -n "$3" ]; then
		check "$1: is reported" grep -q "vm! .*$3" "$scratch/run"
	fi
	[ $rc = "$2" ] || note "$(tail -n 15 "$scratch/run")"
}

check "the module builds" build || { echo "1..$tap_n"; exit 1; }
planted none 0 ""
if [ "$kernel" = kcsan ]; then
	planted data-race 124 "KCSAN: data-race in count"
	done_testing
fi
planted use-after-free 124 "KASAN: .*use-after-free"
planted out-of-bounds 124 "UBSAN: array-index-out-of-bounds"
planted leak 124 "kmemleak: [0-9]* new suspected"
planted lock-inversion 124 "possible circular locking dependency"
planted rcu-unprotected 124 "suspicious RCU usage"
planted timer-freed 124 "ODEBUG: free active"
planted sleep-in-atomic 124 "sleeping function called"
done_testing
