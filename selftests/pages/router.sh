# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A page's test: the guest that is the router, chromium with page_test.py, pictures in
# build/pages. After lib/tap.sh and vm/common.sh, with $top.
pages=$top/selftests/pages
export VPNPASS_RPC=$scratch/out/rpc VPNPASS_SHOTS=$scratch/shots
mkdir -p "$VPNPASS_RPC" "$VPNPASS_SHOTS"
# shellcheck source=selftests/pages/axe.sh
. "$pages/axe.sh"

# router_start ARG...: of vm/run; ends the script if it does not come up
router_start()
{
	local i

	"$top/selftests/vm/run" --out "$scratch/out" "$@" > "$scratch/guest.log" 2>&1 &
	guest=$!
	for ((i = 0; i < 2400; i++)); do
		[ ! -e "$VPNPASS_RPC/ready" ] && kill -0 $guest 2> /dev/null || break
		sleep 0.5
	done
	check "the router is there" test -e "$VPNPASS_RPC/ready" || {
		note "$(tail -n 30 "$scratch/guest.log")"
		done_testing
	}
}

router_stop()
{
	touch "$VPNPASS_RPC/stop"
	wait "$guest"
}

# page_points ARG...: of page_test.py; its points, as ours
page_points()
{
	local rc

	python3 "$pages/page_test.py" "$@" > "$scratch/tap"
	rc=$?
	points_of "$scratch/tap"
	[ $rc = 0 ] || [ $tap_bad != 0 ] || not_ok "the page's test came to its end" "exit code $rc"
	mkdir -p "$top/build/pages"
	cp "$VPNPASS_SHOTS"/*.png "$top/build/pages/" 2> /dev/null
	return $rc
}
