#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The Debian packages build, and hold what they should; lintian. Installing them
# on a clean Debian takes minutes: make check-install.
# run: host timeout=600
. "$(dirname "$0")/../lib.sh"
checktool dpkg-buildpackage dpkg-dev
checktool dh debhelper
checktool dh_dkms dh-dkms
top=$(readlink -f "$selftests/..")
version=$(cat "$top/VERSION")

is "changelog and VERSION agree" \
	"$(dpkg-parsechangelog -l "$top/debian/changelog" -S Version)" "$version"
check "make deb" make -s -C "$top" deb
tool=$(echo "$top/build/deb/vpnpass_${version}"_*.deb)
dkms=$top/build/deb/vpnpass-dkms_${version}_all.deb
dpkg-deb --fsys-tarfile "$tool" | tar -t | sed 's/^\.//' > "$scratch/files"
dpkg-deb --fsys-tarfile "$dkms" | tar -t | sed 's/^\.//' >> "$scratch/files"

# has FILE...
has()
{
	local f rc=0

	for f; do
		grep -qx -- "$f" "$scratch/files" || { echo "no $f"; rc=1; }
	done
	return $rc
}

check "tool, unit, completion" has /usr/sbin/vpnpass /lib/systemd/system/vpnpass.service \
	/usr/libexec/vpnpass/apply /usr/share/bash-completion/completions/vpnpass \
	/usr/share/fish/vendor_completions.d/vpnpass.fish \
	/usr/share/zsh/vendor-completions/_vpnpass
# shellcheck disable=SC2046
check "state, events and metrics have their units" has /usr/libexec/vpnpass/state \
	/usr/libexec/vpnpass/metrics $(printf '/lib/systemd/system/vpnpass-%s\n' \
	save.service save.timer state.service events.service metrics.service metrics.timer)
check "the netlink spec, alert rules and a dashboard" has /usr/share/vpnpass/vpnpass.yaml \
	/usr/share/vpnpass/prometheus/vpnpass-alerts.yml \
	/usr/share/vpnpass/prometheus/vpnpass-dashboard.json
# shellcheck disable=SC2046
check "every man page" has $(cd "$top/tools/man" && for p in *.[1-8]; do
	echo "/usr/share/man/man${p##*.}/$p.gz"; done)
check "schemas" has /usr/share/vpnpass/schema.json /usr/share/vpnpass/schema-doctor.json
check "firewall snippets" has /usr/share/vpnpass/vpnpass.nft \
	/usr/lib/firewalld/services/vpnpass-ipsec.xml
check_fails "no firewalld policy that is in force by itself" \
	grep '^/usr/lib/firewalld/policies' "$scratch/files"
# shellcheck disable=SC2046
check "every source of the modules" has $(cd "$top" &&
	git ls-files kmod scripts uapi/linux Kbuild Makefile VERSION dkms.conf |
	grep -v '/\.' | sed "s,^,/usr/src/vpnpass-$version/,")
if [ -e "$top/packaging/vpnpass.conf" ]; then
	is "the configuration is the administrator's" \
		"$(dpkg-deb -I "$tool" conffiles)" /etc/vpnpass.conf
else
	skip "the configuration is the administrator's" "the tool has none yet"
fi
is "make install leaves a configuration alone" "$(
	mkdir "$scratch/etc" && echo mine > "$scratch/etc/vpnpass.conf"
	make -s -C "$top/packaging" install DESTDIR="$scratch" > /dev/null
	cat "$scratch/etc/vpnpass.conf")" mine
is "make install leaves a configuration alone: its unit runs what it installed" \
	"$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' \
	"$scratch/usr/local/lib/systemd/system/vpnpass.service")" \
	/usr/local/libexec/vpnpass/apply

if command -v systemd-analyze > /dev/null; then
	sed "s,/usr/local/libexec,$scratch&," \
		"$scratch/usr/local/lib/systemd/system/vpnpass.service" > "$scratch/vpnpass.service"
	check "systemd-analyze verify" systemd-analyze verify --man=no "$scratch/vpnpass.service"
else
	skip "systemd-analyze verify" "not installed"
fi
if command -v lintian > /dev/null; then
	is "lintian" "$(lintian --allow-root -q --tag-display-limit 0 \
		--fail-on none "$top"/build/deb/*.changes 2>&1)" ""
else
	skip "lintian" "not installed"
fi
if command -v xmllint > /dev/null; then
	check "XML" xmllint --noout "$top"/packaging/firewall/firewalld/*/*.xml
else
	check "XML" python3 -c 'import sys, xml.dom.minidom
for f in sys.argv[1:]: xml.dom.minidom.parse(f)' "$top"/packaging/firewall/firewalld/*/*.xml
fi
done_testing
