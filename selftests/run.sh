#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs the test scripts, most of them in as few guests as will do, and adds up
# their TAP. The last line is "N passed, N failed, N skipped"; exit code 1 when
# anything failed. Called by make check.
#
# A script says how it wants to run in a line of its own:
#   # run: host                      here, no guest (what tests the runner)
#   # run: smp=2 mem=2048 timeout=600 alone icount append=WORD
# and one that is not to be part of the whole, with the reason:
#   # named only: it takes an hour
# Default: smp=1 mem=1024 timeout=300, in one guest with all that want the same.
set -u
here=$(dirname "$(readlink -f "$0")")
cd "$here" || exit 2

# shellcheck source=selftests/vm/common.sh
. vm/common.sh

usage()
{
	cat >&2 <<-U
	usage: run.sh [OPTION...] [TEST...]
	  --native            on this machine instead of in guests (needs root)
	  --kernel K          as of selftests/vm/run
	  --tap NAME=COMMAND  one more producer of TAP, run on this machine
	  --no-scripts        those only
	  --part host|guests  of the scripts, those that run here, or the others
	  --shared DIR        several runs with one folder share the scripts: each is
	                      run by one of them, whichever is free
	  --out DIR           keep the whole output there
	  --list              say which scripts there are
	  -v                  show passed points too
	TEST: a path, or a part of one; all without
	U
	exit 2
}

native='' kernel='' scripts=1 part='' shared='' out='' list='' verbose=''
taps=() wanted=()
while [ $# -gt 0 ]; do
	case $1 in
	--native) native=1 ;;
	--kernel) kernel=${2?}; shift ;;
	--tap) taps+=("${2?}"); shift ;;
	--no-scripts) scripts= ;;
	--part) part=${2?}; shift ;;
	--shared) shared=$(readlink -f "${2?}") || exit 2; shift ;;
	--out) out=${2?}; shift ;;
	--list) list=1 ;;
	-v) verbose=1 ;;
	-*) usage ;;
	*) wanted+=("$1") ;;
	esac
	shift
done
case $part in '' | host | guests) ;; *) usage ;; esac

keep=$out
out=${out:-$(mktemp -d "${TMPDIR:-/tmp}/vpnpass-run.XXXXXX")}
mkdir -p "$out" ${shared:+"$shared"} || exit 2
[ -z "$shared" ] || export VPNPASS_SHARED=$shared
# Debug kernels are slow: what waits, waits longer, and may take longer
slow=1
is_debug_kernel "$kernel" && slow=4
slow=${VPNPASS_SLOW:-$slow}
[ "$slow" = 1 ] || export VPNPASS_SLOW=$slow
child=
trap '[ -z "$child" ] || kill "$child" 2> /dev/null; exit 130' INT TERM

# --- counting ---------------------------------------------------------------
# Emulated CPUs on a busy machine miss a time limit now and then: a script that
# failed is run a second time, alone in a guest of its own, and that counts. Both
# runs are shown. What the kernel complained of counts the first time.
may_retry='' again=()
passed=0 failed=0 skipped=0
cur='' points=0 bad=0 skips=0 extra=0 none=0 plan='' show='' complained=''

elapsed() { printf '[%5d s] ' "$SECONDS"; }

begin()
{
	cur=$1 points=0 bad=0 skips=0 extra=0 none=0 plan='' show='' complained='' said=()
}

# before: what a script said in plain text before a point that failed
before()
{
	[ ${#said[@]} = 0 ] || printf '    %s\n' "${said[@]}"
	said=()
}

# point_failed NAME: what the script did not report itself
point_failed()
{
	before
	extra=$((extra + 1))
	elapsed
	echo "$cur: not ok - $1"
}

line()
{
	case $1 in
	"ok "*"# SKIP"* | "ok "*"# skip"*)
		points=$((points + 1)) skips=$((skips + 1)) show=$verbose
		elapsed; echo "$cur: $1" ;;
	"ok "*)
		points=$((points + 1)) show=$verbose said=()
		[ -z "$verbose" ] || { elapsed; echo "$cur: $1"; } ;;
	"not ok "*)
		points=$((points + 1)) bad=$((bad + 1)) show=1
		before
		elapsed; echo "$cur: $1" ;;
	"1..0"*)
		plan=0 none=1
		elapsed; echo "$cur: skipped: ${1#*SKIP }" ;;
	"1.."*) plan=${1#1..} plan=${plan%% *} ;;
	"#"*) [ -z "$show" ] || echo "    $1" ;;
	*)
		if [ -n "$verbose" ]; then
			echo "    $1"
		else
			said+=("$1")
			[ ${#said[@]} -le 10 ] || said=("${said[@]:1}")
		fi ;;
	esac
}

# finish CODE SECONDS: what TAP itself cannot say
finish()
{
	if [ "$1" = 124 ] || [ "$1" = 137 ]; then
		point_failed "ended by its time limit"
	elif [ -z "$plan" ]; then
		point_failed "no plan: it ended early (exit code $1)"
	elif [ "$plan" != "$points" ]; then
		point_failed "$plan points planned, $points seen"
	elif [ "$1" != 0 ] && [ "$1" != 4 ] && [ $((bad + extra)) = 0 ]; then
		point_failed "exit code $1"
	fi
	if [ $((bad + extra)) -gt 0 ] && [ -n "$may_retry" ] && [ -z "$complained" ]; then
		elapsed
		echo "$cur: $((bad + extra)) failed ($2 s); once more at the end, alone"
		again+=("$cur")
		cur=
		return
	fi
	passed=$((passed + points - bad - skips))
	failed=$((failed + bad + extra))
	skipped=$((skipped + skips + none))
	elapsed
	printf '%s: %d passed, %d failed, %d skipped (%s s)\n' \
		"$cur" $((points - bad - skips)) $((bad + extra)) $((skips + none)) "$2"
	cur=
}

# read_marked: the output of vm/suite on stdin; sets $done_names, $died
read_marked()
{
	local l f

	while IFS= read -r l; do
		case $l in
		"@@start "*) begin "${l#@@start }" ;;
		"@@dmesg "*)
			complained=1
			# the script may have reported these lines itself
			if [ $bad = 0 ]; then
				point_failed "the kernel complained"
				show=1
			fi ;;
		"@@other "*) done_names+=" ${l#@@other }" ;;
		"@@end "*)
			read -ra f <<< "$l"
			done_names+=" $cur"
			finish "${f[2]}" "${f[3]}" ;;
		*) [ -z "$cur" ] || line "$l" ;;
		esac
	done
	died=$cur
}

# --- running ----------------------------------------------------------------
# stream FILE COMMAND...: its output to FILE and to read_marked, in this shell
stream()
{
	local file=$1 rc

	shift
	mkfifo "$out/fifo" 2> /dev/null
	"$@" > "$out/fifo" 2>&3 &
	child=$!
	read_marked < <(tee "$file" < "$out/fifo")
	wait "$child"
	rc=$?
	child=
	return $rc
}

tap_producer()
{
	local name=${1%%=*} start=$SECONDS rc

	mkfifo "$out/fifo" 2> /dev/null
	begin "$name"
	(cd .. && exec bash -c "${1#*=}") > "$out/fifo" < /dev/null &
	child=$!
	while IFS= read -r l; do
		line "$l"
	done < <(tee "$out/$name.tap" < "$out/fifo")
	wait "$child"
	rc=$?
	child=
	finish "$rc" $((SECONDS - start))
}

option()
{
	local o

	for o in $(sed -n 's/^# run: //p' "$1" | head -n 1); do
		case $o in
		"$2") echo 1 ;;
		"$2="*) echo "${o#*=}" ;;
		esac
	done
}

# vm_args SCRIPT: the options of vm/run that it wants; the group's key as well
vm_args()
{
	local v args=''

	for v in smp mem append; do
		o=$(option "$1" $v)
		[ -z "$o" ] || args+=" --$v $o"
	done
	[ -z "$(option "$1" icount)" ] || args+=" --icount"
	[ -z "$(option "$1" alone)" ] || args+=" --alone=$1"
	echo "$args"
}

# remaining SCRIPT...: sets $left to those that nobody has run
remaining()
{
	local t

	left=()
	for t; do
		case "$done_names " in
		*" $t "*) continue ;;
		esac
		[ -n "${VPNPASS_SHARED-}" ] && [ -e "$VPNPASS_SHARED/${t//\//-}" ] || left+=("$t")
	done
}

# run_group ARGS SCRIPT...: boots again after a script that took the guest down
run_group()
{
	local args=${1%% --alone=*} t limit rc n=0 total idle

	shift
	done_names=''
	remaining "$@"
	while [ ${#left[@]} -gt 0 ]; do
		set -- "${left[@]}"
		todo=() total=$((60 * slow)) idle=60 done_names='' died=''
		for t; do
			limit=$(option "$t" timeout)
			limit=$((${limit:-300} * slow))
			todo+=("$t:$limit")
			total=$((total + limit))
			[ $idle -gt $((limit + 30)) ] || idle=$((limit + 30))
		done
		n=$((n + 1)) boot=$((boot + 1))
		# shellcheck disable=SC2086
		stream "$out/guest$boot.log" vm/run $args ${kernel:+--kernel "$kernel"} \
			--timeout $total --idle $idle --out "$out/guest$boot" -- \
			"$here/vm/suite" "${todo[@]}"
		rc=$?
		if [ -z "$died" ] && [ $rc != 0 ] && [ $rc != 124 ]; then
			died=$1
			[ -z "$done_names" ] || died="after$done_names"
			begin "$died"
		fi
		if [ -n "$died" ]; then
			plan=$points
			point_failed "the guest died or hung (exit code $rc); see $out/guest$boot"
			tail -n 15 "$out/guest$boot/console" | tr -d '\r' | sed 's/^/    # /'
			finish 0 "-"
			done_names+=" $died"
		elif [ $rc = 124 ] && [ $failed = 0 ]; then
			begin "guest $boot"
			plan=0 may_retry=
			point_failed "the kernel complained between the scripts"
			finish 0 "-"
			may_retry=$first_pass
		fi
		remaining "$@"
		[ ${#left[@]} -lt $# ] || return
	done
}
boot=0

# --- which ------------------------------------------------------------------
matches()
{
	local w

	[ ${#wanted[@]} = 0 ] && return 0
	for w in "${wanted[@]}"; do
		case selftests/$1 in *"$w"*) return 0 ;; esac
	done
	return 1
}

host=() keys=()
declare -A group=()
if [ -n "$scripts" ]; then
	for t in test_*.sh */test_*.sh; do
		[ -f "$t" ] || continue
		# the tests of pure code come through --tap
		case $t in unit/*) continue ;; esac
		matches "$t" || continue
		where=guests
		[ -z "$(option "$t" host)" ] || where=host
		case $part in "" | "$where") ;; *) continue ;; esac
		why=$(sed -n 's/^# named only: //p' "$t")
		if [ -n "$why" ] && [ -z "$list" ] && [ ${#wanted[@]} = 0 ]; then
			[ -z "$shared" ] || mkdir "$shared/${t//\//-}" 2> /dev/null || continue
			echo "$t: skipped: $why"
			skipped=$((skipped + 1))
			continue
		fi
		if [ -n "$list" ]; then
			printf '%s\t%s\n' "$t" "$(sed -n 's/^# run: //p' "$t" | head -n 1)"
		elif [ $slow != 1 ] && [ -n "$(option "$t" host)$(option "$t" icount)" ]; then
			: # tests the runner, or needs the exact clock
		elif [ -n "$(option "$t" host)" ]; then
			host+=("$t:$(option "$t" timeout)")
		elif [ -n "$native" ]; then
			host+=("$t:$(option "$t" timeout)")
		else
			key=$(vm_args "$t")
			[ -n "${group[_$key]-}" ] || keys+=("_$key")
			group[_$key]+=" $t"
		fi
	done
fi
[ -z "$list" ] || exit 0

exec 3>&2
for t in "${taps[@]}"; do
	tap_producer "$t"
done
first_pass=1 may_retry=1
if [ ${#host[@]} -gt 0 ]; then
	stream "$out/host.log" vm/suite "${host[@]/%:/:900}"
fi
for key in "${keys[@]}"; do
	# shellcheck disable=SC2086
	run_group "${key#_}" ${group[$key]}
done

first_pass='' may_retry=''
unset VPNPASS_SHARED
for t in "${again[@]}"; do
	if [ -n "$native$(option "$t" host)" ]; then
		limit=$(option "$t" timeout)
		stream "$out/host-again.log" vm/suite "$t:${limit:-900}"
	else
		run_group "$(vm_args "$t")" "$t"
	fi
done
[ ${#again[@]} = 0 ] || echo "run twice: ${again[*]}"

[ -n "$keep" ] || [ $failed -gt 0 ] || rm -rf "$out"
[ $failed = 0 ] || echo "whole output: $out"
if [ $((passed + failed + skipped)) = 0 ] && [ -z "$shared" ]; then
	echo "no test matches"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
