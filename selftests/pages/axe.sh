# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# axe-core, which judges a page's accessibility, installed once. After vm/common.sh.
export VPNPASS_AXE=$vm_cache/axe/node_modules/axe-core/axe.min.js
if [ ! -e "$VPNPASS_AXE" ] && command -v npm > /dev/null; then
	mkdir -p "$vm_cache/axe"
	npm install --silent --no-fund --no-audit --prefix "$vm_cache/axe" axe-core@4 > /dev/null 2>&1
fi
