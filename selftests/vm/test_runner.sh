#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The runner itself: everything that can go wrong in a guest is planted, and has
# to be told from success. Needs no module.
# run: host timeout=900
. "$(dirname "$0")/../lib.sh"
vm=$selftests/vm
export TMPDIR=$scratch	# planted failures leave their results
unset VPNPASS_SHARED
checktool qemu-system-x86_64 qemu-system-x86

# vm_run WANTED-CODE NAME ARGS...: output in $scratch/run
vm_run()
{
	local want=$1 name=$2 rc

	shift 2
	"$vm/run" --timeout 120 "$@" > "$scratch/run" 2>&1
	rc=$?
	is "$name: exit code" $rc "$want"
	[ $rc = "$want" ] || note "$(tail -n 30 "$scratch/run")"
}

# says NAME REGEX: the output of the last vm_run
says()
{
	check "$1" grep -qE "$2" "$scratch/run"
}

# --- a guest and what comes back ---------------------------------------------
vm_run 7 "a script that fails" --out "$scratch/out" -- sh -c \
	"echo hello from \$(uname -r); echo x > '$selftests/planted'; cat '$selftests/planted'; exit 7"
says "its output is shown" "hello from $("$vm/kernel")"
check "its output is shown: is it in the log" grep -q hello "$scratch/out/log"
check "dmesg is kept" grep -q "Linux version" "$scratch/out/dmesg"
is "dmesg is kept: what it writes stays in the guest" "$(ls "$selftests/planted" 2> /dev/null)" ""
says "kvm or tcg is named" "vm: .*, (kvm|tcg)"

spawn "$vm/run" --timeout 120 -- sh -c 'echo early; sleep 20'
check "output is shown while it runs" busywait 60 grep -q early "$spawn_log"
check "output is shown while it runs: does run" kill -0 "$spawn_pid"
kill "$spawn_pid"
wait "$spawn_pid"
is "output is shown while it runs: it can be ended" $? 143

vm_run 0 "two CPUs" --smp 2 --mem 512 -- sh -c '[ $(nproc) = 2 ]'
vm_run 0 "exact clock" --icount -- sh -c \
	'[ $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource) = tsc ]'
vm_run 126 "a folder without kernel" --kernel "$scratch" -- true
is "no command is a usage error" "$("$vm/run" --smp 2 > /dev/null 2>&1; echo $?)" 2

# --- guests that die -----------------------------------------------------------
vm_run 125 "a panic" -- sh -c 'echo c > /proc/sysrq-trigger; sleep 60'
says "its console is shown" "sysrq triggered crash"
vm_run 125 "a hung guest" --timeout 15 -- sleep 1000
says "it says that it hung" "hung: no end after 15 s"
vm_run 125 "a silent guest" --idle 8 -- sleep 1000
says "it says that it was silent" "hung: no output for 8 s"

# --- a kernel that complains ---------------------------------------------------
plant='echo "<4>WARNING: CPU: 0 PID: 1 at planted" > /dev/kmsg'
vm_run 124 "a warning" -- sh -c "$plant; exit 3"
says "its line is shown" "vm! .*at planted"
VPNPASS_DMESG_ALLOW='at planted' vm_run 0 "a warning that was planted" -- sh -c "$plant"
vm_run 124 "a warning hidden by dmesg -C" -- sh -c "$plant; dmesg -C"

scan()
{
	"$vm/dmesg-scan" <<< "$1" > /dev/null
}

while read -r l; do
	check_fails "found: ${l#*] }" scan "$l"
done <<'L'
[    3.291999] WARNING: CPU: 0 PID: 55 at net/core/dev.c:10 f+0x1/0x2
[    3.291999] WARNING: possible circular locking dependency detected
[    3.291999] WARNING: suspicious RCU usage
[    3.291999] BUG: KASAN: slab-use-after-free in f+0x1/0x2
[    3.291999] BUG kmalloc-64 (Tainted: G): Redzone overwritten
[    3.291999] BUG: unable to handle page fault for address: 0000000000001000
[    3.291999] Oops: 0000 [#1] PREEMPT SMP NOPTI
[    3.291999] UBSAN: array-index-out-of-bounds in a.c:1:2
[    3.291999] rcu: INFO: rcu_preempt self-detected stall on CPU
[    3.291999] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
[    3.291999] refcount_t: underflow; use-after-free.
[    3.291999] BUG: scheduling while atomic: swapper/0/0/0x00000002
[    3.291999] unregister_netdevice: waiting for lo to become free. Usage count = 2
[    3.291999] INFO: task rmmod:77 blocked for more than 120 seconds.
L
while read -r l; do
	check "harmless: ${l#*] }" scan "$l"
done <<'L'
[    3.291999] vpnpass: loading out-of-tree module taints kernel.
[    3.291999] rcu: Hierarchical RCU implementation.
[    3.291999] x86/fpu: xstate_offset[2]: 576, debug info
[    3.291999] nf_conntrack: table full, dropping packet
L

# race [FRAME1 [ACCESS1 [ACCESS2 [FRAME2]]]]: a report of KCSAN: what its two accesses
# are, and how a line of either's stack ends
race()
{
	printf '[ 3.2] %s\n' ======== "BUG: KCSAN: data-race in f / g" \
		"${2-read} to 0xffff888004c8bc80 of 8 bytes by interrupt on cpu 1:" \
		" f+0x1/0x2${1-}" "${3-write} to 0xffff888004c8bc80 of 8 bytes by task 2 on cpu 0:" \
		" g+0x1/0x2${4-}" =========
}
check_fails "found: a data race of ours" scan "$(race " [vpnpass_esp]")"
check "harmless: one of the kernel's own" scan "$(race)"
check "harmless: our marked write, the kernel's plain read" \
	scan "$(race " [vpnpass]" "read-write (marked)" read)"
check_fails "found: our marked read, the kernel's plain write" \
	scan "$(race " [vpnpass]" "read (marked)" write)"
check_fails "found: our plain write, the kernel's marked read" \
	scan "$(race " [vpnpass]" write "read (marked)")"
check_fails "found: our marked write, our plain read" \
	scan "$(race " [vpnpass]" "write (marked)" read " [vpnpass]")"
check_fails "found: a report that is cut off" scan "$(race "" | head -n 4)"

# list_walk PLACE [FRAME [WHAT]]: a report of lockdep's, and how a line of its stack ends
list_walk()
{
	printf '[ 3.2] %s\n' ======== "WARNING: suspicious RCU usage" "6.1.192 Not tainted" \
		-------- "$1 ${3-RCU-list traversed in non-reader section!!}" "" "Call Trace:" \
		" <TASK>" " ? f+0x1/0x2 [vpnpass]" " g+0x1/0x2${2-}" " </TASK>" "another line"
}
own=net/netfilter/nf_tables_api.c:4122
check "harmless: a list of the kernel's own" scan "$(list_walk $own)"
check_fails "found: the same, walked for vpnpass" scan "$(list_walk $own " [vpnpass_ike]")"
check_fails "found: a list of ours" scan "$(list_walk /src/build/6.1/core/pin.c:41)"
check_fails "found: one behind the kernel's own" \
	scan "$(list_walk $own; list_walk /src/build/6.1/core/pin.c:41)"
check_fails "found: a report of lockdep's that is cut off" scan "$(list_walk $own | head -n 6)"
check_fails "found: one that does not say where" \
	scan "$(list_walk $own | grep -v RCU-list)"
check_fails "found: another kind of misuse" \
	scan "$(list_walk lib/maple_tree.c:860 "" "suspicious rcu_dereference_check() usage!")"

# --- /dev/kvm that opens and hangs ----------------------------------------------
accel()
{
	VPNPASS_ACCEL='' VPNPASS_CACHE=$scratch/cache PATH=$scratch/bin:$PATH \
		"$vm/accel" image initrd 2> /dev/null
}

fake_qemu()
{
	mkdir -p "$scratch/bin"
	printf '#!/bin/sh\n%s\n' "$1" > "$scratch/bin/qemu-system-x86_64"
	chmod +x "$scratch/bin/qemu-system-x86_64"
}

if [ -w /dev/kvm ]; then
	fake_qemu 'exec sleep 100'
	is "kvm that hangs is not used" "$(accel)" tcg
	fake_qemu 'echo vm-probe-hello'
	is "that is remembered" "$(accel)" tcg
	rm "$scratch/cache/accel"
	is "kvm that works is used" "$(accel)" kvm
else
	skip "kvm that hangs is not used" "no /dev/kvm"
fi

# --- the suite -------------------------------------------------------------------
# total NAME WANTED TAP-COMMAND: the last line for such a producer
total()
{
	is "$1" "$("$selftests/run.sh" --no-scripts --tap "x=$3" 2> /dev/null | tail -n 1)" "$2"
}

total "passed" "2 passed, 0 failed, 0 skipped" 'printf "ok 1 - a\nok 2 - b\n1..2\n"'
total "failed" "1 passed, 1 failed, 0 skipped" 'printf "ok 1 - a\nnot ok 2 - b\n1..2\n"; exit 1'
total "skipped" "1 passed, 0 failed, 1 skipped" 'printf "1..2\nok 1 - a\nok 2 - b # SKIP no\n"'
total "all skipped" "0 passed, 0 failed, 1 skipped" 'printf "1..0 # SKIP no\n"; exit 4'
total "no plan" "1 passed, 1 failed, 0 skipped" 'printf "ok 1 - a\n"'
total "too few points" "1 passed, 1 failed, 0 skipped" 'printf "1..2\nok 1 - a\n"'
total "exit code alone" "1 passed, 1 failed, 0 skipped" 'printf "1..1\nok 1 - a\n"; exit 9'
total "nothing at all" "0 passed, 1 failed, 0 skipped" 'true'

copy=$scratch/copy/selftests
mkdir -p "$copy/t"
cp -r "$selftests/lib.sh" "$selftests/lib" "$selftests/run.sh" "$vm" "$copy/"
rm "$copy"/vm/test_*.sh

script()
{
	printf '%s\n' "# run: timeout=${3:-60}" '. "$(dirname "$0")/../lib.sh"' "$2" > "$copy/t/test_$1.sh"
}

script 1good 'ok fine; done_testing'
script 2panic 'ok before; echo c > /proc/sysrq-trigger; sleep 30'
script 3early 'ok before; exit 0'
script 4warn "$plant; ok before; done_testing"
script 5allowed "expect_dmesg 'at planted'; $plant; ok before; done_testing"
script 6after "at_exit '$plant'; ok before; done_testing"
script 7slow 'ok before; sleep 70; done_testing' 12
script 8skip 'checktool no-such-tool'
script 9good 'ok fine; done_testing'
"$copy/run.sh" > "$scratch/run" 2>&1
is "a suite with a failure" $? 1
says "the panicked script failed" "test_2panic.sh: not ok - the guest died"
says "the others ran" "test_9good.sh: 2 passed, 0 failed"
says "ending early failed" "test_3early.sh: .* 1 failed"
says "the warning failed" "test_4warn.sh: 1 passed, 1 failed"
says "the planted one did not" "test_5allowed.sh: 2 passed, 0 failed"
says "the one at exit failed" "test_6after.sh: .* 1 failed"
says "the slow one was ended" "test_7slow.sh: not ok - ended by its time limit"
says "the other one was skipped" "test_8skip.sh: 0 passed, 0 failed, 1 skipped"
is "the sum" "$(tail -n 1 "$scratch/run")" "12 passed, 5 failed, 1 skipped"

# --- two runs that share the scripts ------------------------------------------------
# shared NAME WANTED
shared()
{
	is "$1" "$("$copy/run.sh" --shared "$scratch/shared" good 2> "$scratch/run" | tail -n 1)" "$2"
}

mkdir -p "$scratch/shared/t-test_1good.sh"
shared "what another run has taken is left to it" "2 passed, 0 failed, 0 skipped"
says "the rest is run" "vm: .*/vm/suite t/test_9good.sh"
shared "once" "0 passed, 0 failed, 0 skipped"
done_testing
