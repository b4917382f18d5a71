#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A session ends slowly: the modules are built with a pause before and after the place
# where a helper lets go of what the session holds, so that packets come in between.
# They must not find it any more. That a helper which lets go first would be seen is
# shown by modules that do. Called by make check-debug.
# usage: slow_end.sh [KERNEL]
top=$(readlink -f "$(dirname "$0")/../../..")
# shellcheck source=/dev/null
. "$top/selftests/lib/tap.sh"
vm=$top/selftests/vm
kernel=${1:-uml-debug}
# A hundred sessions pause, twice each: a script that floods ends thousands.
pause='if (slow_ends < 200 \&\& !in_atomic() \&\& !irqs_disabled()) { slow_ends++; msleep(30); }'

# build NAME HIDE END: session_finish() with these two statements in place of its own
build()
{
	local dir=$scratch/$1 kdir more=()

	kdir=$("$vm/kernel" --kdir "$kernel") || return 1
	! grep -q '^CONFIG_UML=y' "$kdir/.config" || more=(ARCH=um UBSAN_SANITIZE=y)
	mkdir "$dir" && cp -pr "$top/Kbuild" "$top/VERSION" "$top/kmod" "$top/uapi" "$dir"
	sed -i -e "1i #include <linux/delay.h>\nstatic int slow_ends;" \
		-e "s/^\tsession_hide(s);/\t$2; $pause/" \
		-e "s/^\ts->proto->ops->session_end(s);/\t$3; $pause/" "$dir/kmod/core/session.c"
	[ "$(grep -c 'msleep(30)' "$dir/kmod/core/session.c")" = 2 ] || return 1
	make -j"$(nproc)" -C "$kdir" M="$dir" "${more[@]}" modules
}

# scripts NAME: what the teardown scripts say with those modules
scripts()
{
	"$vm/run" --kernel "$kernel" --timeout 2400 --ko "$scratch/$1" --out "$scratch/out" -- \
		"$vm/suite" {esp,ike,pptp}/test_teardown.sh:700 > "$scratch/run" 2>&1
}

hide='session_hide(s)' end='s->proto->ops->session_end(s)'
check "modules that end slowly build" build slow "$hide" "$end"
check "modules that let go first build" build first "$end" "$hide"
check "slowly: nothing is reported" scripts slow
is "slowly: no point fails" "$(grep -c '^not ok' "$scratch/run")" 0
is "slowly: points" "$(grep -c '^@@end .* 0 ' "$scratch/run")" 3
[ $tap_bad = 0 ] || note "$(grep -E '^(not ok|#|vm!|@@)' "$scratch/run" | tail -n 60)"
scripts first
check "letting go first is reported" grep -qE "vm! .*(KASAN|ODEBUG|BUG|WARNING)|^@@dmesg" \
	"$scratch/run"
[ $tap_bad = 0 ] || note "$(tail -n 30 "$scratch/run")"
done_testing
