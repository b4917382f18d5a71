# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Waiting for conditions, background processes, and tidying up at exit.

spawned=()
cleanups=()

# busywait SECONDS COMMAND...: until it succeeds; its output is not shown. On a
# debug kernel a second is four.
busywait()
{
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000 * ${VPNPASS_SLOW:-1}))

	shift
	until "$@" > /dev/null 2>&1 < /dev/null; do
		[ "${EPOCHREALTIME/./}" -lt $end ] || return 1
		sleep 0.1
	done
}

# now_ms: prints milliseconds of the wall clock
now_ms()
{
	echo $((${EPOCHREALTIME/./} / 1000))
}

# checktool TOOL [PACKAGE]: skips the whole script when it is missing
checktool()
{
	command -v "$1" > /dev/null || skip_all "$1 is missing (package ${2:-$1})"
}

# need_root
need_root()
{
	[ "$(id -u)" = 0 ] || skip_all "root is needed"
}

# spawn COMMAND...: in the background, ended at exit at the latest; its output
# goes to $spawn_log, its process number to $spawn_pid. No function: that would be a
# shell of its own, and what it has begun goes on when the shell is ended.
spawn()
{
	if [ "$(type -t "$1")" = function ]; then
		not_ok "spawn" "$1 is a function"
		return 1
	fi
	spawn_log=$scratch/spawn.${#spawned[@]}
	"$@" > "$spawn_log" 2>&1 < /dev/null &
	spawn_pid=$!
	spawned+=("$spawn_pid")
}

# at_exit COMMAND: runs at exit, the last one first
at_exit()
{
	cleanups=("$1" "${cleanups[@]}")
}

# end_spawned: asks them to end, and insists after a second
end_spawned()
{
	local p

	[ ${#spawned[@]} -gt 0 ] || return 0
	kill "${spawned[@]}"
	for p in "${spawned[@]}"; do
		busywait 1 eval "! kill -0 $p" || kill -9 "$p"
		wait "$p"
	done
}

test_exit()
{
	local rc=$? c

	trap - EXIT
	# A signal is reported by its sender.
	if [ -z "$tap_done" ] && [ $rc != 130 ] && [ $rc != 143 ]; then
		not_ok "the script ended early" "exit code $rc"
		echo "1..$tap_n"
		rc=1
	fi
	end_spawned > /dev/null 2>&1
	for c in "${cleanups[@]}"; do
		eval "$c"
	done > /dev/null 2>&1
	rm -rf "$scratch"
	exit $rc
}
trap test_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
