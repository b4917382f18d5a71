#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two clients of one IPsec gateway, native ESP (SAs set by hand), one NAT.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
#
# Stock Linux serves the first and loses all of the second's traffic; with
# vpnpass both work, and each packet reaches its own client, alone once its SPI is known.
. "$(dirname "$0")/../lib.sh"

check "topology" topo 2 1
check "SAs" esp_up "1 2"
is "stock: first client's pings answered" 3 "$(esp_ping 1)"
is "stock: second client's pings answered" 0 "$(esp_ping 2)"
check "modules load" load_modules vpnpass vpnpass_esp
is "vpnpass: first client's pings answered" 3 "$(esp_ping 1)"
is "vpnpass: second client's pings answered" 3 "$(esp_ping 2)"
is "vpnpass: first client again" 3 "$(esp_ping 1)"
is "vpnpass: both at once lose nothing" 0 "$(esp_pings "1 2" -c 10; esp_lost)"
# Without IKE in sight it takes a conversation to tell whose an SPI is; a saved one tells.
check "the SPIs of both are known" esp_settle "1 2"
c1=$(xfrm_stat c1 XfrmInNoStates) c2=$(xfrm_stat c2 XfrmInNoStates)
is "vpnpass: both at once, known, lose nothing" 0 "$(esp_pings "1 2" -c 10; esp_lost)"
is "c1 got no packet of c2's" "$c1" "$(xfrm_stat c1 XfrmInNoStates)"
is "c2 got no packet of c1's" "$c2" "$(xfrm_stat c2 XfrmInNoStates)"
check "modules unload" unload_modules
is "unloaded: one client works again" 3 "$(esp_ping 1)"
is "unloaded: and only one" 0 "$(esp_ping 2)"
dmesg_clean "kernel log"
done_testing
