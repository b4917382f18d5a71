#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vpnpass.service under a systemd of its own (a PID namespace with our unit and
# the targets that it names, nothing else): start, reload, stop, a module that is
# missing. The modules are the real ones, and the sandbox of the unit is on.
# run: timeout=400
. "$(dirname "$0")/../lib.sh"
checktool systemctl systemd
checktool jq
[ -n "${VPNPASS_VM-}" ] || skip_all "it writes to /etc and /usr, which a guest throws away"
systemd=/usr/lib/systemd/systemd
[ -x $systemd ] || systemd=/lib/systemd/systemd
top=$(readlink -f "$selftests/..")
VPNPASS=/usr/local/sbin/vpnpass

install_files()
{
	make -s -C "$top/packaging" install PREFIX=/usr/local &&
		install -m 755 "$top/tools/vpnpass" $VPNPASS
}

# the guest's modules are in no tree that modprobe looks at
install_modules()
{
	cat > /usr/local/sbin/modprobe <<-M
	#!/bin/sh
	case \$1 in
	-r) exec rmmod "\$2" ;;
	-q) shift ;;
	esac
	[ ! -d /sys/module/\$1 ] || exit 0
	[ \$1 = vpnpass ] || \$0 vpnpass || exit 1
	[ ! -e /run/no-\$1 ] || exit 1
	exec insmod "$VPNPASS_KO/\$1.ko"
	M
	chmod +x /usr/local/sbin/modprobe
	modprobe -a nf_conntrack nf_nat nf_defrag_ipv4 nf_defrag_ipv6
}

units=/run/test-units
log=/run/vpnpass-unit.log
write_units()
{
	local t

	mkdir -p $units
	cp /usr/local/lib/systemd/system/vpnpass* $units/
	mkdir -p $units/vpnpass.service.d
	printf '[Service]\nStandardOutput=append:%s\nStandardError=inherit\n' "$log" \
		> $units/vpnpass.service.d/log.conf
	for t in local-fs network-pre network timers shutdown default basic sysinit multi-user umount; do
		printf '[Unit]\nDefaultDependencies=no\n' > $units/$t.target
	done
}

boot_systemd()
{
	SYSTEMD_UNIT_PATH=$units SYSTEMD_LOG_TARGET=console SYSTEMD_COLORS=0 container=test \
		spawn unshare --fork --pid --mount-proc --cgroup --kill-child \
		$systemd --system --show-status=false
	busywait 60 test -S /run/systemd/private && manager=$(pgrep -P "$spawn_pid")
}

# systemd takes no one from outside its PID namespace
sc()
{
	nsenter --target "$manager" --pid --mount --cgroup systemctl "$@"
}

show_unit()
{
	sc show -P "$1" vpnpass.service
}

conf()
{
	printf '%s\n' "$@" > /etc/vpnpass.conf
}

mode()
{
	$VPNPASS -j show "$1" 2> /dev/null | jq -r '.[0].mode'
}

"$top/tools/vpnpass" help 2>&1 | grep -q restore || skip_all "this tool cannot restore"
check "files are installed" install_files
check "systemd-analyze verify" systemd-analyze verify --man=no \
	/usr/local/lib/systemd/system/vpnpass*
install_modules
write_units
conf "set pptp on" "set esp off" "set natt block"
check "systemd starts" boot_systemd
check "start" sc start vpnpass.service || note "$(cat "$log")"
is "start: it is active" "$(show_unit ActiveState)" active
is "pptp" "$(mode pptp)" on
is "esp" "$(mode esp)" off
is "natt" "$(mode natt)" block
check "the state is kept by units of its own" eval 'sc is-active vpnpass-state.service &&
	sc is-active vpnpass-save.timer'
check "save" sc start vpnpass-save.service || note "$(cat "$log")"
check "save: there is a file" grep -q '^sum' /var/lib/vpnpass/state
rm /var/lib/vpnpass/state
is "what is not named is not loaded" "$(ls -d /sys/module/vpnpass_l2tp 2> /dev/null)" ""

conf "set pptp block" "set esp on" "set l2tp off"
check "reload" sc reload vpnpass.service
is "reloaded: pptp" "$(mode pptp)" block
is "reloaded: esp" "$(mode esp)" on
is "reloaded: l2tp was loaded" "$(mode l2tp)" off
conf "set pptp block" "set esp on"
check "reload, declarative" sc reload vpnpass.service
is "what is no longer named is not loaded" "$(ls -d /sys/module/vpnpass_l2tp 2> /dev/null)" ""
conf "set pptp perhaps"
check_fails "a wrong file is refused" sc reload vpnpass.service
is "a wrong file is refused: changes nothing" "$(mode pptp)" block

check "stop" sc stop vpnpass.service
check "stopped: what was learned was saved before" grep -q '^sum' /var/lib/vpnpass/state
is "stopped: no module" "$(ls -d /sys/module/vpnpass* 2> /dev/null)" ""

touch /run/no-vpnpass_esp
conf "set esp on" "set l2tp block"
check_fails "a module is missing: that is a failure" sc start vpnpass.service
is "a module is missing: that is a failure: the rest is in force" "$(mode l2tp)" block
check "a module is missing: that is a failure: says which" \
	grep -q 'could not be loaded: vpnpass_esp;' "$log"
done_testing
