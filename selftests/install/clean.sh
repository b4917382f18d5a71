# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A Debian that has nothing but its base, in the folder $root, for scripts that install
# our packages there. It is fetched once and kept in the cache; what is done there has the
# machine's kernel. After vm/common.sh and vm/debian.sh.
suite=$(debian_codename)
root=$scratch/root

# clean_base: the base system
clean_base()
{
	local tar=$vm_cache/debian/$suite.tar

	if [ ! -s "$tar" ]; then
		mkdir -p "${tar%/*}"
		debootstrap --variant=minbase "$suite" "$root" "$(debian_mirror "")" || return 1
		tar -C "$root" -cf "$tar.new" . && mv "$tar.new" "$tar"
		return
	fi
	mkdir -p "$root" && tar -C "$root" -xf "$tar"
}

# clean_settle: as an installer leaves it: security updates, and here no service starts
clean_settle()
{
	echo "deb $(debian_mirror -security) $suite-security main" >> \
		"$root/etc/apt/sources.list"
	printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
	in_root apt-get -q update
}

# in_root COMMAND...
in_root()
{
	# shellcheck disable=SC2016
	DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 unshare --mount --pid --fork sh -c '
		mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" "$@" < /dev/null
}

# kernel_modules KERNEL: the kernel's own, as linux-image would bring them
kernel_modules()
{
	local from

	from=$("$selftests/vm/kernel" --root "$1")/lib/modules/$1 && [ -d "$from" ] || return 1
	cp -r "$from/kernel" "$from"/modules.{order,builtin*} "$root/lib/modules/$1/" &&
		in_root depmod "$1"
}
