#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The same as test_parity.sh, of fewer conversations, with the setting "fast" on for every
# protocol that has it: what goes fast arrives as on stock, and what a rule drops does not.
# run: timeout=900
export VPNPASS_PARITY_FAST=1000 VPNPASS_PARITY_COUNT=${VPNPASS_PARITY_COUNT:-40}
export VPNPASS_PARITY_SEED=${VPNPASS_PARITY_SEED:-2}
. "$(dirname "$0")/test_parity.sh"
