# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Kernels and headers out of Debian's archive (named X.Y, or X.Y-FLAVOUR for
# another than amd64's plain one: 6.1-rt-amd64, 6.1-s390x), from the mirror that this
# machine is configured for: other suites are read with private lists, and
# nothing of the machine's own apt state is changed. Sourced by kernel.
#   VPNPASS_MIRROR            another mirror (its /debian folder)
#   VPNPASS_ALLOW_UNSIGNED=1  take a suite whose key this machine does not have

# debian_flavour X.Y[-FLAVOUR]
debian_flavour()
{
	case $1 in
	*-*) echo "${1#*-}" ;;
	*) echo amd64 ;;
	esac
}

# debian_arch NAME|RELEASE: the architecture of its packages
debian_arch()
{
	case $1 in
	*-686 | *-686-pae) echo i386 ;;
	*-arm64) echo arm64 ;;
	*-armmp*) echo armhf ;;
	*-s390x) echo s390x ;;
	*) echo amd64 ;;
	esac
}

# debian_cross RELEASE: what make needs to build for it, nothing if this machine's
debian_cross()
{
	case $(debian_arch "$1") in
	i386) echo "ARCH=i386" ;;
	arm64) echo "ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-" ;;
	armhf) echo "ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf-" ;;
	s390x) echo "ARCH=s390 CROSS_COMPILE=s390x-linux-gnu-" ;;
	esac
}

# debian_default: the release that the host's headers are for
debian_default()
{
	local dep

	dep=$(dpkg-query -W -f '${Depends}' linux-headers-amd64 2> /dev/null) ||
	dep=$(apt-cache depends linux-headers-amd64 2> /dev/null)
	grep -o 'linux-headers-[0-9][^ ,<>|]*-amd64' <<< "$dep" | sort -V | tail -n 1 |
		sed 's/^linux-headers-//' | grep .
}

debian_codename()
{
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
}

# debian_mirror [-security]: apt itself reads the configuration, so that both
# of its formats, and includes, are understood
debian_mirror()
{
	local uri

	if [ -n "${VPNPASS_MIRROR-}" ]; then
		echo "${VPNPASS_MIRROR%/}$1"
		return
	fi
	# shellcheck disable=SC2016
	uri=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' 2> /dev/null |
		awk -v s="^($(debian_codename)|stable|testing|unstable|sid)$1\$" \
			'$1 ~ s && $2 == "main" { print $3; exit }')
	if [ -z "$uri" ] && [ -n "$1" ]; then
		uri=$(debian_mirror "") && uri=${uri%/debian}/debian$1
	fi
	[ -n "$uri" ] || die "no Debian mirror in apt's configuration; set VPNPASS_MIRROR"
	echo "${uri%/}"
}

# debian_apt SUITE[@ARCH] TOOL ARGS...: apt-get or apt-cache that sees SUITE alone
debian_apt()
{
	local dir=$vm_cache/apt/$1 arch=amd64

	case $1 in *@*) arch=${1#*@} ;; esac
	shift
	"$1" -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::Etc::sourcelist="$dir/list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State::lists="$dir/lists" -o Dir::State::status="$dir/status" \
		-o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root \
		-o Acquire::Languages=none "${@:2}"
}

# debian_update SUITE[@ARCH]: at most once a day
debian_update()
{
	local suite=$1 dir=$vm_cache/apt/$1 uri opt='' key sec='' out

	[ -n "$(find "$dir/stamp" -mtime -1 2> /dev/null)" ] && return 0
	suite=${suite%@*}
	case $suite in *-security) sec=-security ;; esac
	uri=$(debian_mirror "$sec") || exit "$VM_RC_SETUP"
	for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[ ! -e "$key" ] || opt="[signed-by=$key]"
	done
	[ -z "${VPNPASS_ALLOW_UNSIGNED-}" ] || opt="[trusted=yes]"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	: > "$dir/status"
	echo "deb $opt $uri $suite main" > "$dir/list"
	# libraries that its packages want are in the suite that it adds to
	case $suite in *-*) echo "deb $opt ${uri%-security} ${suite%-*} main" >> "$dir/list" ;; esac
	say "reading the package list of $suite"
	if ! out=$(debian_apt "$1" apt-get -q update -o APT::Update::Error-Mode=any 2>&1); then
		case $out in
		*NO_PUBKEY* | *"not signed"* | *EXPKEYSIG*)
			die "$suite is signed with a key that this machine does not have;" \
			    "update debian-archive-keyring or set VPNPASS_ALLOW_UNSIGNED=1" ;;
		esac
		say "$suite cannot be read: $(grep -m1 '^[EW]:' <<< "$out")"
		return 1
	fi
	touch "$dir/stamp"
}

# debian_suites X.Y: where to look, likeliest first. The host's own suites win:
# what is built with their compiler has build tools that run here.
debian_suites()
{
	local host

	host=$(debian_codename)
	{
		echo "$host-backports"
		case ${1%%-*} in
		5.10) echo bullseye-security bullseye ;;
		6.1) echo bookworm-security bookworm ;;
		6.12) echo trixie-security trixie ;;
		esac
		echo trixie-backports sid forky "$host" "$host-security"
		echo trixie bookworm-backports bookworm bullseye
	} | tr ' ' '\n' | awk '!seen[$0]++'
}

# debian_newest SUITE X.Y[-FLAVOUR]: prints the newest release of that series
debian_newest()
{
	local series=${2%%-*} flavour

	flavour=$(debian_flavour "$2")
	debian_apt "$1" apt-cache pkgnames "linux-image-$series" |
		sed -n "s/^linux-image-\([0-9].*-$flavour\)\$/\1/p" |
		grep -E "^${series//./\\.}([.+~-][^-]*)?(-[0-9]+)?-$flavour\$" |
		grep -vE -- '-cloud-|^[0-9.]+-'"$flavour\$" | sort -V | tail -n 1 | grep .
}

# debian_release [X.Y|RELEASE]: prints the full name
debian_release()
{
	local rel suite arch known=$vm_cache/version/${1-}

	rel=$(debian_default)
	if [ -z "${1-}" ]; then
		[ -n "$rel" ] || die "linux-headers-amd64 is not known here (selftests/vm/deps.sh)"
		echo "$rel"
		return
	fi
	case $rel in
	"$1" | "$1".*) echo "$rel"; return ;;
	esac
	if [ -s "$known" ] && [ -z "${VPNPASS_REFRESH-}" ]; then
		cut -d' ' -f1 "$known"
		return
	fi
	mkdir -p "${known%/*}"
	arch=$(debian_arch "$1")
	for suite in $(debian_suites "$1"); do
		[ "$arch" = amd64 ] || suite+=@$arch
		with_lock "apt-$suite" debian_update "$suite" || continue
		rel=$(debian_newest "$suite" "$1") || continue
		say "$1 is $rel of $suite"
		mkdir -p "$vm_cache/version"
		echo "$rel $suite" | tee "$known" > "$vm_cache/version/$rel"
		echo "$rel"
		return
	done
	die "no Debian suite of this mirror has a kernel $1"
}

# debian_apt_for RELEASE TOOL ARGS...: in the suite that it was found in, or
# with the machine's own lists
debian_apt_for()
{
	local suite

	suite=$(cut -d' ' -f2 "$vm_cache/version/$1" 2> /dev/null)
	[ -z "${debian_native-}" ] || suite=${suite%@*}
	if [ -n "$suite" ]; then
		with_lock "apt-$suite" debian_update "$suite" > /dev/null || return 1
		debian_apt "$suite" "${@:2}"
	else
		"$2" -o APT::Sandbox::User=root "${@:3}"
	fi
}

# debian_unpack RELEASE PACKAGE...: fetch and unpack into the cache
debian_unpack()
{
	local release=$1 dir=$vm_cache/kernel/$1 deb tmp rc=0

	shift
	tmp=$vm_cache/download-$release.$$
	mkdir -p "$tmp" "$dir"
	say "fetching $*"
	(cd "$tmp" && debian_apt_for "$release" apt-get -qq download "$@" >&2) || rc=1
	if [ $rc != 0 ] && [ ! -s "$vm_cache/version/$release" ]; then
		say "the mirror may have moved on: apt-get update"
		apt-get -qq update >&2
		rc=0
		(cd "$tmp" && debian_apt_for "$release" apt-get -qq download "$@" >&2) || rc=1
	fi
	for deb in "$tmp"/*.deb; do
		[ $rc != 0 ] || dpkg -x "$deb" "$dir" || rc=1
	done
	rm -rf "$tmp"
	return $rc
}

# debian_alien DIR: lists the kernel's build tools that want a newer libc than
# this machine has. One that lacks another library (5.10's sign-file wants the
# OpenSSL of its time) has no part in building a module.
debian_alien()
{
	find "$1"/usr/lib/linux-kbuild-* -type f -perm -100 | while read -r tool; do
		[ "$(head -c 4 "$tool" | tail -c 3)" = ELF ] || continue
		! ldd "$tool" 2>&1 | grep -q "GLIBC_.*not found" || echo "$tool"
	done
}

# debian_wrap DIR RELEASE: runs these through the loader of their own suite
debian_wrap()
{
	local dir=$1 release=$2 tool tools ld lib

	tools=$(debian_alien "$dir")
	[ -n "$tools" ] || return 0
	debian_unpack "$release" libc6 libelf1t64 zlib1g libzstd1 || return 1
	ld=$(find "$dir" -name ld-linux-x86-64.so.2 ! -type d | head -n 1)
	lib=$dir/usr/lib/x86_64-linux-gnu
	for tool in $tools; do
		mv "$tool" "$tool.elf"
		printf '#!/bin/sh\nexec %s --library-path %s "$0.elf" "$@"\n' "$ld" "$lib" > "$tool"
		chmod +x "$tool"
	done
}

# debian_config AUTO.CONF: what the kernel's compiler could and the host's, or
# its pahole, perhaps cannot. Nothing of it changes what a module looks like.
debian_config()
{
	sed -i '/^CONFIG_DEBUG_INFO_BTF_MODULES=/d' "$1"
	${CC:-gcc} -fmin-function-alignment=16 -x c -c -o /dev/null /dev/null 2> /dev/null ||
		sed -i '/^CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=/d' "$1"
}

# debian_parts RELEASE: the packages of a kernel; newer ones split theirs
debian_parts()
{
	echo "linux-image-$1"
	debian_apt_for "$1" apt-cache show "linux-image-$1" | sed -n 's/^Depends: //p' |
		head -n 1 | tr ', ' '\n' | grep -E '^linux-(base|binary|modules)-[0-9]'
}

# debian_headers RELEASE: unpacks them beside the kernel, with the lock held
debian_headers()
{
	local release=$1 dir=$vm_cache/kernel/$1 src=usr/src/linux-headers-$1 more

	[ -e "$dir/.headers" ] && return 0
	more=$(debian_apt_for "$release" apt-cache show "linux-headers-$release" |
		sed -n 's/^Depends: //p' | head -n 1 | tr ',' '\n')
	# shellcheck disable=SC2046
	debian_unpack "$release" "linux-headers-$release" \
		$(grep -oE 'linux-headers-[^ ]+' <<< "$more") || return 1
	# The package's build tools run here, whatever they build for.
	debian_native=1 debian_unpack "$release" \
		"$(grep -oE 'linux-kbuild-[^ ]+' <<< "$more")" || return 1
	# Absolute paths of an installed package, and the compiler of its suite
	sed -i "s#\([ =]\)/usr/src/#\1$dir/usr/src/#g" "$dir/$src/Makefile"
	sed -i -E 's/(gcc)-[0-9]+/\1/; /^override CROSS_COMPILE/d' "$dir/$src/.kernelvariables"
	debian_config "$dir/$src/include/config/auto.conf"
	debian_wrap "$dir" "$release" || return 1
	touch "$dir/.headers"
}

# debian_kdir RELEASE: prints the KDIR to build modules for it
debian_kdir()
{
	if [ -e "/usr/src/linux-headers-$1/Makefile" ]; then
		echo "/usr/src/linux-headers-$1"
		return
	fi
	with_lock "kernel-$1" debian_headers "$1" || die "no headers for $1"
	echo "$vm_cache/kernel/$1/usr/src/linux-headers-$1"
}
