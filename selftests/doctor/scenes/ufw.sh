#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The rules that ufw itself makes, in the network namespace of the caller: each argument is
# the words of one call, then it is enabled. Its files are copies that nobody else sees.
#
#   ufw.sh ["route allow in on lan1 out on wan"]...
command -v ufw > /dev/null || exit 1
exec unshare -m sh -c '
	mount --make-rprivate / && mount -t tmpfs none /mnt && cp -a /etc/ufw/. /mnt &&
	mount --bind /mnt /etc/ufw || exit
	ip link set lo up
	for words; do
		# shellcheck disable=SC2086
		ufw $words || exit
	done
	ufw --force enable' sh "$@"
