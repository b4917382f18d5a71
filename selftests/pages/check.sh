#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The pages in a real browser on this machine: Cockpit's own web server and bridge,
# and LuCI's client API as luci_stub.js has it, or LuCI's own, with a guest as the router.
# Called by make check-pages.
# usage: check.sh cockpit|luci|real-luci|rpcd|clock|shown|files [KERNEL]
#   VPNPASS_LUCI  a checkout of LuCI; without, real-luci fetches one, or is skipped
#   VPNPASS_RPCD  the prefix where OpenWrt's ubus, uci and rpcd are installed, for rpcd
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
	check "promtool: alerts that fire, and that do not" promtool test rules "$here/alerts_test.yml"
	check "appstreamcli" appstreamcli validate --no-net \
		"$packaging/cockpit/org.vpnpass.cockpit.metainfo.xml"
	for file in "$packaging"/cockpit/manifest.json "$packaging"/prometheus/*.json \
		    "$packaging"/openwrt/luci-app-vpnpass/root/usr/share/*/*/*.json; do
		check "JSON: ${file##*/}" python3 -m json.tool "$file" /dev/null
	done
	check "the pages' model" node "$here/model_test.mjs"
	done_testing
fi

# install_luci: the page as its package has it, in $scratch/install/luci-app-vpnpass
install_luci()
{
	make -s -C "$top/packaging/openwrt/luci-app-vpnpass" OUT="$scratch/install" \
		TOPDIR="$top/selftests/install/openwrt" install-luci-app-vpnpass > /dev/null
}

if [ "$kind" = rpcd ]; then
	rpcd=${VPNPASS_RPCD:-/usr}
	[ -x "$rpcd/sbin/rpcd" ] || skip_all "rpcd is missing"
	[ "$(id -u)" = 0 ] || skip_all "root is needed"
	install_luci
	python3 "$here/rpcd_test.py" "$scratch/install/luci-app-vpnpass" "$rpcd" > "$scratch/tap"
	points_of "$scratch/tap"
	num "all of it was run" $n_points -ge 6
	done_testing
fi

for tool in chromium chromedriver; do
	command -v $tool > /dev/null || skip_all "$tool is missing"
done
if [ "$kind" = clock ] || [ "$kind" = shown ]; then
	mkdir -p "$top/build/pages"
	# shellcheck source=selftests/pages/axe.sh
	. "$here/axe.sh"
	VPNPASS_SHOTS=$top/build/pages "$here/${kind}_test.py"
	exit
fi

# find_luci: to $luci the client side of LuCI, fetched once
find_luci()
{
	local tree=${VPNPASS_LUCI:-$vm_cache/luci} source=https://github.com/openwrt/luci.git

	luci=$tree/modules/luci-base/htdocs/luci-static/resources
	[ ! -e "$luci/luci.js" ] || return 0
	[ -z "${VPNPASS_LUCI-}" ] || return 1
	rm -rf "$tree"
	timeout 120 git clone -q --depth 1 --filter=blob:none --sparse "$source" "$tree" \
		2> /dev/null && git -C "$tree" sparse-checkout set modules/luci-base/htdocs
}

luci=
[ "$kind" != real-luci ] || find_luci || skip_all "LuCI's sources cannot be had here"
# shellcheck source=selftests/pages/router.sh
. "$here/router.sh"
mkdir -p "$scratch/bin" "$scratch/libexec/vpnpass"

server=
stop()
{
	router_stop
	[ -z "$server" ] || kill "$server" 2> /dev/null
	rm -rf "$scratch"
}

# --- the router --------------------------------------------------------------------------
trap stop EXIT
router_start ${kernel:+--kernel "$kernel"} --timeout 1500 -- "$here/guest.sh"
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
luci | real-luci)
	install_luci
	"$here/luci_server.py" "$port" "$scratch/install/luci-app-vpnpass" ${luci:+"$luci"} \
		> "$scratch/server.log" 2>&1 &
	url=http://127.0.0.1:$port/
	kept="'$here/in_guest' cat /run/vpnpass.uci"
	;;
esac
server=$!
page_points "${kind#real-}" "$url" "$kept" || note "$(tail -n 20 "$scratch/server.log")"
done_testing
