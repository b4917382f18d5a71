#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own client for netlink specs reads ours: the lines of docs/ynl.md.
. "$(dirname "$0")/../lib.sh"
. "$selftests/vm/common.sh"
checktool jq
ynl=$vm_cache/ynl/tools/net/ynl/cli.py
[ -e "$ynl" ] || skip_all "the kernel's ynl is not unpacked (make style does)"
python3 -c 'import jsonschema, yaml' 2> /dev/null || skip_all "python3-jsonschema is missing"
spec=$(readlink -f "$selftests/../uapi/vpnpass.yaml")

# ynl ARG...: in the router's netns
ynl() { R python3 "$ynl" --spec "$spec" --no-schema --process-unknown \
	--output-json "$@"; }

ynl_is()
{
	ynl "${@:2}" > "$scratch/ynl.json" && jq -e "$1" "$scratch/ynl.json" > /dev/null ||
		{ cat "$scratch/ynl.json"; return 1; }
}

check "topology" topo 2 1
check "SAs" esp_up "1 2"
check "modules load" load_modules vpnpass vpnpass_esp
check "clients are paired" esp_settle "1 2"
check "the switches" ynl_is 'any(.[]; .name == "esp" and .mode == "on")' --dump proto-get
check "a switch turned" ynl --do proto-set --json '{"name": "esp", "mode": "off"}'
check "the kernel has it" vp_is '.[0].mode == "off"' show esp
check "the kernel has it: on again" ynl --do proto-set --json '{"name": "esp", "mode": "on"}'
check "clients are paired again" esp_settle "1 2"
check "the sessions, addresses as text" ynl_is "[.[].client] | sort == [\"${CIP[1]}\", \"${CIP[2]}\"]" \
	--dump session-get
done_testing
