#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The EXAMPLES of vpnpass(8) and README's "Use" as somebody would type them. What
# the page says comes out is compared word by word, but for SPIs, times, amounts of
# traffic and pins. And root need not load modules first. (vpnpass-doctor(8)'s are in
# doctor/test_examples.sh.)
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool depmod kmod
page=$selftests/../tools/man/vpnpass.8
readme=$selftests/../README.md

# form: lines with what may differ replaced, in order, none twice
form()
{
	sed -E -e 's/0x[0-9a-f]{8}/SPI/g' \
		-e 's/^\[[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}\]/STAMP/' \
		-e 's/^(esp( +[0-9.]{7,}){2}) +[0-9hms]+ +[0-9]+s +[0-9]+ +[0-9.]+K? +/\1 COUNTS /' \
		-e 's/^(esp +on +2) +[4-8]$/\1 PINS/' \
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
check "root need not load a protocol that came to mind later" vp show natt
check "the switches go on, which are off in a network namespace" vp set all on
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

# --- README's "Use" ---------------------------------------------------------------
# one_use COMMAND: does what README says of it
one_use()
{
	local saw

	# (what timeout has to end is well)
	saw=$(eval "$1" 2>&1) || [ "$? ${1%% *}" = "124 timeout" ] || { echo "$saw"; return 1; }
	case $1 in
	"vpnpass") [ "$saw" = "$(vp show)" ] && grep -qE '^esp +on +2 ' <<< "$saw" ;;
	"vpnpass session") grep -qE "^esp +${CIP[1]} +${GIP[1]} +[0-9hms]+ " <<< "$saw" &&
		grep -q "spi out ${esp_out[1.1]}  spi in ${esp_in[1.1]}" <<< "$saw" ;;
	"vpnpass set esp block") vp_is '.[0].mode == "block"' show esp ;;
	"vpnpass set esp fast 1000") vp_is '.[0].settings.fast.value == 1000' show esp ;;
	"vpnpass show esp") grep -qE '^ +fast +1000 ' <<< "$saw" ;;
	"vpnpass stats esp") grep -qE '^esp +sessions_new +[0-9]+$' <<< "$saw" &&
		vp stats esp --prometheus | grep -qE '^vpnpass_sessions_new_total\{proto="esp"\} [0-9]+$' ;;
	"timeout 6 vpnpass monitor") grep -qE '^[0-9:.]{12} esp +setting +copies 3$' <<< "$saw" ;;
	"vpnpass save"*) grep -q 'settings and 0 sessions saved$' <<< "$saw" ;;
	"vpnpass restore"*) grep -q 'settings and 0 sessions restored$' <<< "$saw" ;;
	"sysctl net.vpnpass.esp") [ "$saw" = "net.vpnpass.esp = 2" ] ;;
	*) echo "README tells of something that this test does not know"; return 1 ;;
	esac || { echo "$saw"; return 1; }
}

# block_of HEADING: the first code after it in README, without comments
block_of()
{
	awk -v h="$1" '$0 == h { on = 1; next } on && /^    / { b = 1; print substr($0, 5) }
		b && !/^    / { exit }' "$readme"
}

sysctl() { R sysctl "$@"; }
vp session flush > /dev/null
vp set esp strict 0 > /dev/null
check "both clients are paired anew" esp_settle "1 2"
mapfile -t uses < <(block_of "## Use" | sed -E 's/ *# .*//; s/ FILE$/ \/tmp\/vpnpass.use/
	s/^(vpnpass monitor)/timeout 6 \1/')
num "README has its commands" ${#uses[@]} -eq 10
for command in "${uses[@]}"; do
	check "README: $command" one_use "$command"
done
# (its sessions end with esp at block, so save comes too late to have some)
vp set all on > /dev/null
kill "${spawned[-1]}"

# --- the configuration file's page, and the example that is installed --------------
awk '/^\.Sh/ { on = $2 == "EXAMPLES" } on && /^\.Ed/ { b = 0 } b { print }
	on && /^\.Bd -literal/ { b = 1 }' "$selftests/../tools/man/vpnpass.conf.5" > "$scratch/conf"
check "modules for it" load_modules
check "vpnpass.conf(5): the example is accepted" vp restore "$scratch/conf"
check "vpnpass.conf(5): the example is accepted: does what it says" \
	vp_is '(map({ (.proto): . }) | add) as $p |
	$p.pptp.mode == "block" and $p.esp.settings.strict.value == 1 and $p.ike.mode == "on"' show
check "vpnpass.conf is accepted" vp restore "$selftests/../packaging/vpnpass.conf"
vp stats --prometheus > "$scratch/prom"
num "every counter of every protocol is there" "$(grep -c '_total{' "$scratch/prom")" -eq \
	"$(vp -j stats | jq '[.[].counters | length] | add')"
is "every counter of every protocol is there: none without an explanation" \
	"" "$(grep 'HELP.*A counter of the kernel module' "$scratch/prom")"
done_testing
