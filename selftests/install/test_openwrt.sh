#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The OpenWrt feed as far as it can be tried without OpenWrt: its Makefile with
# stand-ins for the build system's files (openwrt/), its init script under busybox
# ash with stand-ins for rc.common, uci and procd. No package is built by it.
# run: host
. "$(dirname "$0")/../lib.sh"
top=$(readlink -f "$selftests/..")
feed=$top/packaging/openwrt/vpnpass
stub=$selftests/install/openwrt

# --- the Makefile ---------------------------------------------------------------
wrt()
{
	make -s --no-print-directory -C "$feed" TOPDIR="$stub" OUT="$scratch/wrt" "$@"
}

check "its Makefile is read, the tree copied" wrt prepare
wrt prepare | sed -n 's/ title.*//p' > "$scratch/packages"
is "one package a module, and the tool" "$(cat "$scratch/packages")" \
"package kmod-vpnpass depends +kmod-nf-conntrack +kmod-nf-nat
package kmod-vpnpass-esp depends +kmod-vpnpass
package kmod-vpnpass-ike depends +kmod-vpnpass
package kmod-vpnpass-pptp depends +kmod-vpnpass
package kmod-vpnpass-l2tp depends +kmod-vpnpass
package vpnpass depends +libmnl +kmod-vpnpass"
is "every helper of Kbuild has one" \
	"$(sed -n 's/^obj-.*vpnpass_\(.*\)\.o$/kmod-vpnpass-\1/p' "$top/Kbuild" | sort)" \
	"$(grep -o 'kmod-vpnpass-[a-z0-9]* ' "$scratch/packages" | tr -d ' ' | sort -u)"
is "another selection is another build" "$(wrt config-depends | grep -v ^package | tr " " "\n" | sort | paste -sd" ")" \
	"$(sed -n 's/^obj-.*vpnpass_\(.*\)\.o$/CONFIG_PACKAGE_kmod-vpnpass-\1/p' "$top/Kbuild" |
		sort | paste -sd' ')"
check "another selection is another build: it builds, and installs what is selected" \
	wrt CONFIG_PACKAGE_kmod-vpnpass-esp=y \
	CONFIG_PACKAGE_kmod-vpnpass-l2tp=m install-vpnpass install-kmod-vpnpass \
	install-kmod-vpnpass-esp
is "the kernel's make was told to leave out the rest" \
	"$(cut -d' ' -f2- "$scratch/wrt/kernel-make")" \
	"VPNPASS_ESP=m VPNPASS_IKE=n VPNPASS_PPTP=n VPNPASS_L2TP=m modules"
is "a module's package" "$(ls "$scratch/wrt/kmod-vpnpass-esp")" vpnpass_esp.ko
is "the tool's package" "$(cd "$scratch/wrt/vpnpass" && find . -type f | sort)" \
"./etc/config/vpnpass
./etc/init.d/vpnpass
./usr/libexec/vpnpass/apply
./usr/libexec/vpnpass/state
./usr/sbin/vpnpass"

check "LuCI's page is installed" make -s --no-print-directory \
	-C "$top/packaging/openwrt/luci-app-vpnpass" TOPDIR="$stub" OUT="$scratch/wrt" \
	install-luci-app-vpnpass
is "the package of LuCI's page" "$(cd "$scratch/wrt/luci-app-vpnpass" && find . -type f | sort)" \
"./usr/libexec/vpnpass/examine
./usr/libexec/vpnpass/remedy
./usr/share/luci/menu.d/luci-app-vpnpass.json
./usr/share/rpcd/acl.d/luci-app-vpnpass.json
./www/luci-static/resources/view/vpnpass.js
./www/luci-static/resources/vpnpass/model.js
./www/luci-static/resources/vpnpass/page.css
./www/luci-static/resources/vpnpass/page.js
./www/luci-static/resources/vpnpass/texts.js"
# facts PACKAGE: what its package tells of itself
facts()
{
	make -s --no-print-directory -C "$top/packaging/openwrt/$1" TOPDIR="$stub" \
		OUT="$scratch/wrt" facts | tail -n 1
}
url=$(sed -n 's/^PKG_URL := //p' "$feed/Makefile")
author="GPL-2.0-only, $(sed -n 's/^Maintainer: //p' "$top/packaging/debian/control"), $url"
is "the packages' licence, maintainer, URL; modules are of one kernel, so not shared" \
	"$(facts vpnpass)" "$author, nonshared"
is "the licence, maintainer and URL of LuCI's page" "$(facts luci-app-vpnpass)" "$author, "
check "the URL is one" eval '[[ $url == https://*.* ]]'

# installed SHELL ROOT: what the page's package does when it has been installed
installed()
{
	make -s --no-print-directory -C "$top/packaging/openwrt/luci-app-vpnpass" TOPDIR="$stub" \
		OUT="$scratch/wrt" postinst-luci-app-vpnpass > /dev/null
	touch "$scratch/luci-indexcache.1"
	sed -i "s,/tmp/luci,$scratch/luci,; s,/etc/init.d/rpcd,echo rpcd," "$scratch/wrt/postinst"
	# shellcheck disable=SC2086
	IPKG_INSTROOT=$2 $1 "$scratch/wrt/postinst"
	(cd "$scratch" && compgen -G "luci-indexcache*")
}
for shell in sh "busybox ash"; do
	command -v "${shell%% *}" > /dev/null || continue
	is "$shell: rpcd reads the access list when the page is installed, LuCI its menu" \
		"$(installed "$shell" "")" "rpcd reload"
	is "$shell: nothing is told when an image is made" \
		"$(installed "$shell" /image)" luci-indexcache.1
done
if command -v node > /dev/null; then
	check "the translations template is current" \
		"$top/packaging/openwrt/luci-app-vpnpass/make-pot.mjs" --check
else
	skip "the translations template is current" "node is missing (package nodejs)"
fi

# --- the service ----------------------------------------------------------------
cat > "$scratch/apply" <<'A'
#!/bin/sh
case $1 in
--reload) echo "apply $*" > "$RUN/applied" ;;
--unload) echo "apply $*" ;;
esac
[ -z "${broken-}" ] || echo "could not be loaded: $broken"
[ -z "${broken-}" ]
A
chmod +x "$scratch/apply"
printf '#!/bin/sh\necho "state $* $STATE"\n' > "$scratch/state"
chmod +x "$scratch/state"
export UCI_DIR=$scratch/config APPLY=$scratch/apply RUN=$scratch/run KEEP=$scratch/state
mkdir "$UCI_DIR"

# init SHELL ACTION
init()
{
	# shellcheck disable=SC2086
	$1 "$stub/rc.common" "$scratch/wrt/vpnpass/etc/init.d/vpnpass" "$2"
}

service()
{
	local name=$1 shell=$2

	if ! command -v "${shell%% *}" > /dev/null; then
		skip "$name" "not installed"
		return
	fi
	cp "$feed/files/vpnpass.config" "$UCI_DIR/vpnpass"
	check "$name: start" init "$shell" start
	is "$name: the configuration as shipped switches everything on" "$(cat "$RUN/vpnpass.uci")" \
"# /etc/config/vpnpass
set pptp on
set ike on
set natt on
set esp on
set l2tp on"
	is "$name: procd is to reload it on changes" \
		"$(init "$shell" start | grep reload)" "procd: reload on vpnpass"
	is "$name: what was learned comes back, and is saved now and then" \
		"$(init "$shell" start | grep -v reload)" "logger: state boot /etc/vpnpass/state
procd: instance save
procd: command $KEEP loop 600
procd: env STATE=/etc/vpnpass/state RUNTIME_DIRECTORY=$RUN/vpnpass"
	cat > "$UCI_DIR/vpnpass" <<-U
	config global
		option mode 'not ours'

	config proto 'esp'
		option mode 'block'
		option strict "1"
		list note 'x'

	config global 'global'
		option save_minutes '0'
		option log_events '1'

	config other 'pptp'
		option mode 'on'

	config proto 'ike'
		option mode 'off'
	U
	is "$name: reload: declarative, nothing is restored; events go to the log" \
		"$(init "$shell" reload | sed "1e cat $RUN/applied" | grep -v "reload on")" "apply --reload $RUN/vpnpass.uci
procd: instance events
procd: command /usr/sbin/vpnpass monitor --syslog
procd: stdout 1
procd: respawn"
	is "$name: modes, settings, nothing else" "$(cat "$RUN/vpnpass.uci")" \
"# /etc/config/vpnpass
set esp block
set esp strict 1
set ike off"
	broken=vpnpass_esp init "$shell" start > "$scratch/out"
	is "$name: a failure fails" $? 1
	check "$name: and is in the log" grep -q 'logger: .*could not be loaded: vpnpass_esp' \
		"$scratch/out"
	is "$name: stop: saved, then unloaded" "$(init "$shell" stop)" "logger: state save /etc/vpnpass/state
apply --unload"
}

service sh sh
service busybox "busybox ash"

if command -v shellcheck > /dev/null; then
	check "shellcheck" shellcheck "$feed/files/vpnpass.init"
	check "shellcheck of what it runs" shellcheck -s dash "$top/packaging/apply" \
		"$top/packaging/state" "$top/packaging/metrics" \
		"$top/packaging/persist" "$top/packaging/remedy" "$top/packaging/examine"
else
	skip "shellcheck" "not installed"
fi
done_testing
