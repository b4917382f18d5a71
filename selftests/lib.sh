# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What a test script starts with: . "$(dirname "$0")/../lib.sh"
# Runs in the guest of selftests/vm/run, or on a machine of its own (run.sh
# --native). A script ends with done_testing; whatever it leaves is cleaned up.
#
#   lib/tap.sh      ok, not_ok, check, is, num, skip, skip_all, points_of, done_testing
#   lib/wait.sh     busywait, checktool, spawn, cleanup
#   lib/modules.sh  load_modules, unload_modules, expect_dmesg
#   lib/topo.sh     topo, R, C, G: router, clients, gateways
#   lib/esp.sh      esp_up, esp_rekey, esp_ping, xfrm_stat
#   lib/pptp.sh     pptp_server, pptp_dial, pptp_up, pptp_ping
#   lib/tool.sh     vp, vp_is, counter, sessions, tap, tap_seen
#   lib/fast.sh     fast_of, packets_of, count_at, seen, mib; VPNPASS_FAST=MS: fast everywhere
#
# Global variables by which functions return something:
#   topo        n_clients, n_gateways; nsp, CIP, GIP, PUB and others of lib/topo.sh
#   points_of   n_points
#   spawn       spawn_pid, spawn_log
#   tap         tap_pid, tap_log; tap_mark: tap_from
#   esp_stream  stream_pid, stream_log
#   esp_random  esp_spi
selftests=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
for part in tap wait modules topo esp tool pptp fast; do
	# shellcheck source=/dev/null
	. "$selftests/lib/$part.sh"
done
unset part
