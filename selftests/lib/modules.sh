# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Loading the modules under test, and reading the kernel's log.

# Where a build leaves them: for this kernel, for the newest one built, in place
for d in "${VPNPASS_KO-}" "$selftests/../build/$(uname -r)" "$selftests/../build/ko" \
	 "$selftests/.."; do
	[ -z "$d" ] || [ ! -d "$d/" ] || { VPNPASS_KO=$(readlink -f "$d"); break; }
done
vp_all="vpnpass vpnpass_ike vpnpass_esp vpnpass_pptp vpnpass_l2tp"
dmesg_mark="vpnpass-test $$ $RANDOM"
dmesg_allow=$scratch/allow
[ ! -w /dev/kmsg ] || echo "<5>$dmesg_mark: ${0##*/}" > /dev/kmsg
printf '%s' "${VPNPASS_DMESG_ALLOW:+$VPNPASS_DMESG_ALLOW$'\n'}" > "$dmesg_allow"

# module_file NAME: prints where it was built
module_file()
{
	[ ! -e "$VPNPASS_KO/$1.ko" ] || { echo "$VPNPASS_KO/$1.ko"; return; }
	find "$VPNPASS_KO" -name "$1.ko" -print -quit 2> /dev/null | grep .
}

# load_module NAME [PARAM=VALUE...]: with the kernel modules that it needs
load_module()
{
	local name=$1 file dep

	file=$(module_file "$name") || { echo "$name.ko is not in $VPNPASS_KO"; return 1; }
	shift
	for dep in $(modinfo -F depends "$file" | tr , ' '); do
		case $dep in
		vpnpass*) [ -d "/sys/module/$dep" ] || load_module "$dep" ;;
		*) modprobe "$dep" ;;
		esac || return 1
	done
	[ -d "/sys/module/$name" ] && return 0
	# the tests' routers are network namespaces: what is said of the first is for them
	case $name/${1-} in
	vpnpass/default=*) set -- "$@" "default_netns=${1#default=}" ;;
	vpnpass/*) set -- default_netns=on "$@" ;;
	esac
	insmod "$file" "$@" || { dmesg | tail -n 5; return 1; }
	[ "$vp_loaded" ] || at_exit unload_modules
	vp_loaded=1
}
vp_loaded=

# load_modules ["NAME PARAM=VALUE..."...]: without names all that were built
load_modules()
{
	local m

	if [ $# = 0 ]; then
		for m in $vp_all; do
			module_file "$m" > /dev/null && set -- "$@" "$m"
		done
		[ $# -gt 0 ] || { echo "no modules in $VPNPASS_KO"; return 1; }
	fi
	for m; do
		# shellcheck disable=SC2086
		load_module $m || return 1
	done
	fast_for_all
}

# unload_modules: helpers first. Fails when one stays.
unload_modules()
{
	local m rc=0

	for m in vpnpass_esp vpnpass_ike vpnpass_pptp vpnpass_l2tp vpnpass; do
		[ ! -d "/sys/module/$m" ] || rmmod "$m" || rc=1
	done
	return $rc
}

# expect_dmesg REGEX: the test plants this on purpose, in the script only
expect_dmesg()
{
	echo "$1" >> "$dmesg_allow"
	[ ! -d "${VPNPASS_OUT-}" ] || echo "$1" >> "$VPNPASS_OUT/allow"
}

# dmesg_clean NAME: a test point on all that was logged since the script began
# or since the last such call
dmesg_clean()
{
	local found

	found=$(dmesg | awk -v m="$dmesg_mark" 'index($0, m) { n = 0; next }
		{ l[n++] = $0 } END { for (i = 0; i < n; i++) print l[i] }' |
		"$selftests/vm/dmesg-scan" --allow "$dmesg_allow")
	if [ -z "$found" ]; then
		ok "$1"
	else
		not_ok "$1" "$found"
	fi
	[ ! -w /dev/kmsg ] || echo "<5>$dmesg_mark" > /dev/kmsg
}
