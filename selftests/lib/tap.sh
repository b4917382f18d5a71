# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Test points in TAP. The plan is printed last, by done_testing, so that a
# script which ends early has none and is counted as failed.
ksft_skip=4
# For files of one run; gone at exit
scratch=$(mktemp -d "${TMPDIR:-/tmp}/vpnpass-test.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
tap_n=0 tap_bad=0 tap_done=

# ok NAME
ok()
{
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1"
}

# not_ok NAME [TEXT]: the text says what was seen
not_ok()
{
	tap_n=$((tap_n + 1))
	tap_bad=$((tap_bad + 1))
	echo "not ok $tap_n - $1"
	[ -z "${2-}" ] || note "$2"
}

# note TEXT: a diagnostic
note()
{
	printf '# %s\n' "${*//$'\n'/$'\n# '}"
}

# skip NAME REASON
skip()
{
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

# skip_all REASON: this machine cannot run the script at all
skip_all()
{
	tap_done=1
	echo "1..0 # SKIP $1"
	exit $ksft_skip
}

# check NAME COMMAND...: the command has to succeed. Runs in this shell, so
# that what it sets stays set.
check()
{
	local name=$1 rc

	shift
	"$@" > "$scratch/check" 2>&1 < /dev/null
	rc=$?
	if [ $rc = 0 ]; then
		ok "$name"
	else
		not_ok "$name" "exit code $rc: $*"
		note "$(tail -n 20 "$scratch/check")"
	fi
	return $rc
}

# check_fails NAME COMMAND...: it has to fail, and not by a signal
check_fails()
{
	local name=$1 rc

	shift
	"$@" > "$scratch/check" 2>&1 < /dev/null
	rc=$?
	if [ $rc != 0 ] && [ $rc -lt 126 ]; then
		ok "$name"
	else
		not_ok "$name" "exit code $rc, wanted a failure: $*"
		note "$(tail -n 20 "$scratch/check")"
	fi
}

# is NAME GOT WANT: equal strings
is()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got '$2', wanted '$3'"
	fi
}

# num NAME GOT OP WANT: integers, OP as of test(1): -eq -ge -lt ...
num()
{
	if [ -n "$2" ] && test "$2" "$3" "$4" 2> /dev/null; then
		ok "$1"
	else
		not_ok "$1" "got '$2', wanted $3 $4"
	fi
}

# points_of FILE [PREFIX]: another script's test points, as ours; how many: $n_points
points_of()
{
	local line

	n_points=0
	while IFS= read -r line; do
		case $line in
		"ok "*"# SKIP "*)
			line=${line#ok * - }
			skip "${2-}${line% \# SKIP *}" "${line##*# SKIP }" ;;
		"ok "*) ok "${2-}${line#ok * - }" ;;
		"not ok "*) not_ok "${2-}${line#not ok * - }" ;;
		"#"*) echo "$line"; continue ;;
		*) continue ;;
		esac
		n_points=$((n_points + 1))
	done < "$1"
}

# done_testing: the last line of a script
done_testing()
{
	# a script that sources this file alone asks no kernel anything
	! declare -F dmesg_clean > /dev/null || dmesg_clean "kernel log is clean"
	tap_done=1
	echo "1..$tap_n"
	exit $((tap_bad ? 1 : 0))
}
