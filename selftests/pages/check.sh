#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The pages in a real browser on this machine: Cockpit's own web server and bridge,
# and LuCI's client API as luci_stub.js has it, with a guest as the router. Called by
# make check-pages.
# usage: check.sh cockpit|luci|clock|files [KERNEL]
here=$(dirname "$(readlink -f "$0")")
top=$here/../..
# shellcheck source=/dev/null
. "$top/selftests/lib/tap.sh"
# shellcheck source=/dev/null
. "$top/selftests/vm/common.sh"
kind=$1 kernel=${2-}

# --- checks without browser --------------------------------------------------------------
if [ "$kind" = files ]; then
	packaging=$top/packaging
	command -v promtool > /dev/null || skip_all "promtool is missing (package prometheus)"
	check "promtool: alert rules" promtool check rules "$packaging/prometheus/vpnpass-alerts.yml"
	check "appstreamcli" appstreamcli validate --no-net \
		"$packaging/cockpit/org.vpnpass.cockpit.metainfo.xml"
	for file in "$packaging"/cockpit/manifest.json "$packaging"/prometheus/*.json \
		    "$packaging"/openwrt/luci-app-vpnpass/root/usr/share/*/*/*.json; do
		check "JSON: ${file##*/}" python3 -m json.tool "$file" /dev/null
	done
	check "the pages' model" node "$here/model_test.mjs"
	done_testing
fi

for tool in chromium chromedriver; do
	command -v $tool > /dev/null || skip_all "$tool is missing"
done
if [ "$kind" = clock ]; then
	"$here/clock_test.py"
	exit
fi
export VPNPASS_RPC=$scratch/out/rpc VPNPASS_SHOTS=$scratch/shots
export VPNPASS_AXE=$vm_cache/axe/node_modules/axe-core/axe.min.js
mkdir -p "$VPNPASS_RPC" "$VPNPASS_SHOTS" "$scratch/bin" "$scratch/libexec/vpnpass"
if [ ! -e "$VPNPASS_AXE" ] && command -v npm > /dev/null; then
	mkdir -p "$vm_cache/axe"
	npm install --silent --no-fund --no-audit --prefix "$vm_cache/axe" axe-core@4 > /dev/null 2>&1
fi

# --- the router --------------------------------------------------------------------------
"$top/selftests/vm/run" ${kernel:+--kernel "$kernel"} --out "$scratch/out" --timeout 1500 -- \
	"$here/guest.sh" > "$scratch/guest.log" 2>&1 &
guest=$!
server=
stop()
{
	touch "$VPNPASS_RPC/stop"
	[ -z "$server" ] || kill "$server" 2> /dev/null
	wait "$guest"
	rm -rf "$scratch"
}
trap stop EXIT
for ((i = 0; i < 1200; i++)); do
	[ ! -e "$VPNPASS_RPC/ready" ] && kill -0 $guest 2> /dev/null || break
	sleep 0.5
done
check "the router is there" test -e "$VPNPASS_RPC/ready" || {
	note "$(tail -n 30 "$scratch/guest.log")"
	done_testing
}
printf '#!/bin/sh\nexec "%s" vpnpass "$@"\n' "$here/in_guest" > "$scratch/bin/vpnpass"
for script in persist remedy; do
	printf '#!/bin/sh\nexec "%s" /usr/libexec/vpnpass/%s "$@"\n' "$here/in_guest" $script \
		> "$scratch/libexec/vpnpass/$script"
done
chmod +x "$scratch"/bin/* "$scratch"/libexec/vpnpass/*

# --- the pages ---------------------------------------------------------------------------
port=$((20000 + RANDOM % 10000))
case $kind in
cockpit)
	make -s -C "$top/packaging" install-cockpit PREFIX="$scratch/install" \
		LIBEXECDIR="$scratch/libexec"
	mkdir -p "$scratch/home"
	HOME=$scratch/home PATH=$scratch/bin:$PATH XDG_DATA_DIRS=$scratch/install/share:/usr/share \
		/usr/lib/cockpit/cockpit-ws --no-tls --port $port --address 127.0.0.1 \
		--local-session=cockpit-bridge > "$scratch/server.log" 2>&1 &
	url=http://127.0.0.1:$port/cockpit/@localhost/vpnpass/index.html
	kept="'$here/in_guest' cat /etc/vpnpass.conf"
	;;
luci)
	make -s -C "$top/packaging/openwrt/luci-app-vpnpass" OUT="$scratch/install" \
		TOPDIR="$top/selftests/install/openwrt" install-luci-app-vpnpass > /dev/null
	"$here/luci_server.py" "$port" "$scratch/install/luci-app-vpnpass" \
		> "$scratch/server.log" 2>&1 &
	url=http://127.0.0.1:$port/
	kept="'$here/in_guest' cat /run/vpnpass.uci"
	;;
esac
server=$!
python3 "$here/page_test.py" "$kind" "$url" "$kept" > "$scratch/tap"
rc=$?
grep -v '^1\.\.' "$scratch/tap" | sed -E 's/^(not ok|ok) [0-9]+ - /\1 - /' > "$scratch/points"
while IFS= read -r line; do
	case $line in
	"ok - "*"# SKIP "*) skip "$(sed 's/^ok - \(.*\) # SKIP .*/\1/' <<< "$line")" "${line##*# SKIP }" ;;
	"ok - "*) ok "${line#ok - }" ;;
	"not ok - "*) not_ok "${line#not ok - }" ;;
	*) echo "$line" ;;
	esac
done < "$scratch/points"
[ $rc = 0 ] || note "$(tail -n 20 "$scratch/server.log")"
mkdir -p "$top/build/pages"
cp "$VPNPASS_SHOTS"/*.png "$top/build/pages/" 2> /dev/null
done_testing
