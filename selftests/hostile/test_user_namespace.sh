#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Root of a user namespace, which every local user can be, with routers of its own: takes
# the helper off connections that vpnpass watches, and goes on sending. The machine
# stays up, and what a client sends leaves.
. "$(dirname "$0")/../lib.sh"
need_root
checktool unshare util-linux
checktool setpriv util-linux

check "modules load" load_modules
for p in espsend l2tp_send rawtap ct_unhelp; do peer $p > /dev/null; done
setpriv --reuid 65534 --regid 65534 --clear-groups \
	unshare -Urnm bash "$selftests/hostile/user_namespace.sh" > "$scratch/log" 2>&1
rc=$?
note "$(cat "$scratch/log")"
is "nobody's own router runs" 0 $rc
said() { awk -v w="$1" '$1 == w { print $2; exit }' "$scratch/log"; }
num "nobody's own router runs: it has sessions" "$(said sessions)" -ge 4
num "their connections lose the helper" "$(said unhelped)" -ge 4
# a client has eight SPIs, which one that takes more of them a second waits for
num "ESP with new SPIs arrives all the same" "$(said arrived)" -ge 100
check "all sessions go when asked to" grep -q flushed "$scratch/log"
check "modules unload" unload_modules
done_testing
