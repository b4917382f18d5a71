#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# build.sh OUT: the simulator. The first policy has names of the second's, which
# are therefore made its own.
set -e
here=$(cd "$(dirname "$0")" && pwd)
kmod=$here/../../kmod
cflags="-O2 -std=gnu11 -Wall -Wextra -Werror -I$kmod"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for f in "$here"/policy_first.c "$kmod"/esp/pair*.c; do
	${CC:-cc} $cflags -c -o "$tmp/first_$(basename "$f" .c).o" "$f"
done
${CC:-cc} -nostdlib -r -o "$tmp/first.o" "$tmp"/first_*.o
objcopy --keep-global-symbol=policy_first "$tmp/first.o"
rm "$tmp"/first_*
set -- "$1" "$kmod"/esp/pair/*.c
for f in "$here"/*.c; do
	[ "${f##*/}" = policy_first.c ] || set -- "$@" "$f"
done
# shellcheck disable=SC2086
${CC:-cc} $cflags -o "$@" "$tmp/first.o"
