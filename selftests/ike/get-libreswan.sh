#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Fetches libreswan, and the libraries that it takes and that are not there,
# into build/libreswan without installing anything: its package and strongSwan's
# exclude each other. Run by make check on the host; the guest has no network.
# What it does not get, the tests skip.
set -eu
top=$(readlink -f "$(dirname "$0")/../..")
dir=$top/build/libreswan
[ ! -e "$dir/.ready" ] || exit 0
command -v apt-get > /dev/null || { echo "libreswan: only on Debian and its kin" >&2; exit 1; }

installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

# libraries: libreswan's, theirs and so on, as far as they are not installed
libraries()
{
	local p

	apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
		--no-breaks --no-replaces --no-enhances libreswan |
		grep -E '^lib[^:]*$' | sort -u | while read -r p; do
		[ "$p" = libreswan ] || installed "$p" || echo "$p"
	done
}

# missing: says what a program of Libreswan's lacks, started with the path that tests use
missing()
{
	LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu ldd "$dir"/usr/libexec/ipsec/{pluto,whack,addconn} |
		grep 'not found'
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
# shellcheck disable=SC2046
apt-get -qq -o APT::Sandbox::User=root download libreswan libnss3-tools $(libraries)
mkdir -p "$dir"
for deb in *.deb; do
	dpkg -x "$deb" "$dir"
done
if missing >&2; then
	echo "libreswan: these libraries are missing" >&2
	exit 1
fi
touch "$dir/.ready"
