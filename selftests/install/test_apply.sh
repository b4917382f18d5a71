#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The script that the service runs loads what a configuration names, applies it, and
# when a module cannot be loaded applies the rest and says so. modprobe and the
# tool are stubs that write down how they were called.
# OpenWrt runs it under busybox, so that is tried as well.
# run: host
. "$(dirname "$0")/../lib.sh"
apply=$selftests/../packaging/apply
conf=$scratch/vpnpass.conf
bin=$scratch/bin
mkdir "$bin" "$scratch/run"
export PATH=$bin:$PATH RUNTIME_DIRECTORY=$scratch/run calls=$scratch/calls broken
export MODPROBE=$bin/modprobe RMMOD=$bin/rmmod

cat > "$bin/modprobe" <<'E2'
#!/bin/sh
echo "modprobe $*" >> "$calls"
for m in $broken; do [ "$m" != "$1" ] || exit 1; done
E2
cat > "$bin/vpnpass" <<'E2'
#!/bin/sh
case $2 in
--*) echo "vpnpass $1 $2" >> "$calls"; shift ;;
*) echo "vpnpass $1" >> "$calls" ;;
esac
cat "$2" >> "$calls"
exit "${refused:-0}"
E2
printf '#!/bin/sh\necho "rmmod $1" >> "$calls"\n' > "$bin/rmmod"
chmod +x "$bin"/*

# called CONF-TEXT: applies it, prints what was called
called()
{
	printf '%s\n' "$1" > "$conf"
	: > "$calls"
	$shell "$apply" ${reload:+--reload} "$conf" 2> "$scratch/err"
	echo $? > "$scratch/rc"
	cat "$calls"
}

# cases NAME SHELL...
cases()
{
	local name=$1 shell="${*:2}" reload=

	broken=
	if [ -n "$shell" ] && ! command -v "$2" > /dev/null; then
		skip "$name" "not installed"
		return
	fi
	is "$name: every module once, then the file as it is" "$(called '# home
set ipsec on
set esp strict 1
set natt off
set pptp block')" "modprobe vpnpass_ike
modprobe vpnpass_esp
modprobe vpnpass_pptp
vpnpass restore
# home
set ipsec on
set esp strict 1
set natt off
set pptp block"
	is "$name: exit code" "$(cat "$scratch/rc")" 0
	is "$name: nothing set, nothing loaded" "$(called '#set esp on')" "vpnpass restore
#set esp on"
	is "$name: all" "$(called 'set all block' | grep -c modprobe)" 4
	is "$name: a word that it does not know is the tool's to refuse" "$(called 'set sstp on')" \
	"vpnpass restore
set sstp on"
	refused=2 called 'set esp on' > "$scratch/out"
	is "$name: refused by the tool: its exit code" "$(cat "$scratch/rc")" 2

	broken=vpnpass_esp
	is "$name: one module is broken: the others' lines are in force, line by line" "$(called 'set esp on
set ipsec block
set l2tp on' | grep -v modprobe)" "vpnpass restore
# set esp on
set ike block
set l2tp on"
	is "$name: exit code" "$(cat "$scratch/rc")" 1
	check "$name: and it says which" grep -q 'could not be loaded: vpnpass_esp;' "$scratch/err"
	is "$name: of all, those that are there" "$(called 'set all off' | grep '^set')" "set pptp off
set l2tp off
set ike off
set natt off"

	mkdir -p "$scratch/sys/module/vpnpass_esp" "$scratch/sys/module/vpnpass"
	broken=
	export SYSFS=$scratch/sys
	is "$name: reload: what is not named goes" "$(reload=1 called 'set pptp on')" \
		"modprobe vpnpass_pptp
vpnpass restore --declarative
set pptp on
rmmod vpnpass_esp"
	is "$name: reload: what is named stays" "$(reload=1 called 'set ipsec on' | grep rmmod)" ""
	is "$name: reload: a file that is refused unloads nothing" \
		"$(refused=1 reload=1 called 'set pptp on' | grep rmmod)" ""
	unset SYSFS
	: > "$calls"
	SYSFS=$scratch/sys $shell "$apply" --unload
	is "$name: unload: what is loaded, the core last" "$(cat "$calls")" "rmmod vpnpass_esp
rmmod vpnpass"
}

cases sh
cases busybox busybox ash
done_testing
