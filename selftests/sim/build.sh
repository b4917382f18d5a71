#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# build.sh OUT: the simulator, with the policy of the modules.
here=$(cd "$(dirname "$0")" && pwd)
kmod=$here/../../kmod
exec ${CC:-cc} -O2 -std=gnu11 -Wall -Wextra -Werror -I"$kmod" -o "$1" \
	"$here"/*.c "$kmod"/esp/pair/*.c
