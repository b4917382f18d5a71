#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The EXAMPLES of vpnpass(8) as somebody would type them, with what the page
# says comes out compared in form: numbers, times, sizes and addresses may differ.
# And root need not load modules first.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool depmod kmod
page=$selftests/../tools/vpnpass.8

# form: lines with what may differ replaced, in order, none twice
form()
{
	sed -E -e 's/0x[0-9a-f]+/HEX/g' -e 's/(HEX ?)+/HEX /g' \
		-e 's/\[?[0-9]{4}-[0-9-]+T[0-9:.+]+\]?/STAMP/g' \
		-e 's/([0-9]{1,3}\.){3}[0-9]{1,3}/ADDRESS/g' \
		-e 's/\b([0-9]+[dhms])+\b/TIME/g' -e 's/\b[0-9]+(\.[0-9]+)?[KMGT]?\b/NUMBER/g' \
		-e 's/[ \t]+/ /g' -e 's/ $//' | sort -u
}

# examples: the literal parts of the section, each ended by a line of its own
examples()
{
	awk '/^\.Sh/ { on = $2 == "EXAMPLES" } on && /^\.Ed/ { print "@@end"; in_bd = 0 }
		in_bd { print } on && /^\.Bd -literal/ { in_bd = 1 }' "$page" | sed 's/\\&//g; s/\\e/\\/g'
}

# try COMMAND: its output form is that of $want
try()
{
	local got

	got=$(cd "$dir" && eval "$1" 2>&1)
	dir=$(case $1 in "cd "*) echo "${1#cd }" ;; *) echo "$dir" ;; esac)
	is "$1" "$(form <<< "$got")" "$(form <<< "${want%$'\n'}")"
}

check "topology" topo 2 1
check "SAs" esp_up "1 2"

# the modules where modprobe looks, as after make install
mods=/lib/modules/$(uname -r)/updates
if [ ! -w /lib/modules ]; then
	# /run is no overlay, as / is
	upper=$(mktemp -d -p /run)
	mkdir "$upper/data" "$upper/work"
	mount -t overlay overlay -o "lowerdir=/usr/lib/modules,upperdir=$upper/data,workdir=$upper/work" \
		/usr/lib/modules
	at_exit umount -l /usr/lib/modules
fi
# (not those of a machine of its own: nobody would take them away again)
if [ -z "${VPNPASS_VM-}" ] || ! { mkdir -p "$mods" && cp "$VPNPASS_KO"/vpnpass*.ko "$mods/"; }; then
	skip "the examples of vpnpass(8)" "cannot install modules here"
	done_testing
	exit 0
fi
depmod
at_exit unload_modules
R setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$VPNPASS" show 2> "$scratch/err"
is "anybody is told which module is missing" "2 vpnpass: kernel module not loaded (load it with: modprobe vpnpass_esp)" \
	"$? $(cat "$scratch/err")"
check "root need not load it" vp show esp
check "nor one that came to mind later" vp show natt
check "both clients are paired" esp_settle "1 2"

# a change now and then, for monitor
while :; do
	sleep 2
	vp set esp copies 3
done > /dev/null 2>&1 &
spawned+=("$!")

mkdir "$scratch/bin"
ln -s "$(readlink -f "$VPNPASS")" "$scratch/bin/vpnpass"
export PATH=$scratch/bin:$PATH
# the examples are typed on the router; there is no other shell in its namespace
vpnpass() { case $1 in -n) command vpnpass "$@" ;; *) command vpnpass -n "${nsp}r" "$@" ;; esac; }
timeout() { command timeout "$1" "$2" -n "${nsp}r" "${@:3}"; }

dir=/ command='' want='' n=0
while IFS= read -r line; do
	case $line in
	"# HELP"* | "# TYPE"*) want+=$line$'\n' ;;
	"# "* | "\$ "* | @@end)
		[ -z "$command" ] || { try "$command"; n=$((n + 1)); }
		command=${line:2} want=
		[ "$line" != @@end ] || command= ;;
	*) want+=$line$'\n' ;;
	esac
done < <(examples)
num "the page has examples" $n -ge 10

# --- the configuration file's page, and the example that is installed --------------
awk '/^\.Sh/ { on = $2 == "EXAMPLES" } on && /^\.Ed/ { b = 0 } b { print }
	on && /^\.Bd -literal/ { b = 1 }' "$selftests/../tools/vpnpass.conf.5" > "$scratch/conf"
check "modules for it" load_modules
check "vpnpass.conf(5): the example is accepted" vp restore "$scratch/conf"
check "and does what it says" vp_is '(map({ (.proto): . }) | add) as $p |
	$p.pptp.mode == "block" and $p.esp.settings.strict.value == 1 and $p.ike.mode == "on"' show
check "vpnpass.conf is accepted" vp restore "$selftests/../tools/vpnpass.conf"
vp stats --prometheus > "$scratch/prom"
num "every counter of every protocol is there" "$(grep -c '_total{' "$scratch/prom")" -eq \
	"$(vp -j stats | jq '[.[].counters | length] | add')"
is "none without an explanation" "" "$(grep 'HELP.*A counter of the kernel module' "$scratch/prom")"
done_testing
