# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts of this folder share: where the cache is, how to say
# something, how to fail. Sourced by kernel, accel, initrd, run and deps.sh.

# Exit codes of the runner; a guest script's own code is passed through.
# shellcheck disable=SC2034
VM_RC_DMESG=124		# the kernel complained
# shellcheck disable=SC2034
VM_RC_DEAD=125		# guest died, hung or never started
# shellcheck disable=SC2034
VM_RC_SETUP=126		# this machine cannot boot it

vm_cache=${VPNPASS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vpnpass}

say()
{
	echo "vm: $*" >&2
}

die()
{
	say "$*"
	exit "$VM_RC_SETUP"
}

# need TOOL PACKAGE: name the package, as the tool's name often differs
need()
{
	command -v "$1" > /dev/null || die "$1 is missing (package $2); try selftests/vm/deps.sh"
}

# with_lock NAME COMMAND...: runs of several sessions share one cache
with_lock()
{
	local name=$1 fd rc

	shift
	mkdir -p "$vm_cache" || die "cannot make $vm_cache"
	exec {fd}> "$vm_cache/.lock-$name"
	flock "$fd"
	"$@"
	rc=$?
	exec {fd}>&-
	return $rc
}

# is_debug_kernel KERNEL: one that debug/build makes
is_debug_kernel()
{
	case $1 in uml | uml-debug | debug | kcsan) ;; *) false ;; esac
}
