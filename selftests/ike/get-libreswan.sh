#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Fetches libreswan and what it takes into build/libreswan, without installing
# it: its package and strongSwan's exclude each other. Run it on the host, the
# tests are in a guest without a network; they skip what it is missing for.
set -eu
top=$(readlink -f "$(dirname "$0")/../..")
dir=$top/build/libreswan
[ ! -e "$dir/.ready" ] || exit 0
command -v apt-get > /dev/null || { echo "libreswan: only on Debian and its kin" >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get -qq -o APT::Sandbox::User=root download libreswan libunbound8 libldns3 libnss3 \
	libnss3-tools libnspr4 libevent-core-2.1-7 libevent-pthreads-2.1-7 libcurl3-nss
mkdir -p "$dir"
for deb in *.deb; do
	dpkg -x "$deb" "$dir"
done
if LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu ldd "$dir/usr/libexec/ipsec/pluto" |
	grep 'not found'; then
	echo "libreswan: these libraries are missing" >&2
	exit 1
fi
touch "$dir/.ready"
