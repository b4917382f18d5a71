#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How the sources look, as TAP: checkpatch, sparse, warnings, scripts, layers,
# and that what is generated is current. What a tool is missing for is skipped.
. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/vm/common.sh"
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

have() { command -v "$1" > /dev/null; }

# ours PATTERN...: files, also those that git has yet to be told of
ours() { git ls-files --cached --others --exclude-standard "$@"; }

mapfile -t csources < <(ours 'kmod/*.[ch]' 'uapi/*.h' 'tools/*.[ch]')
mapfile -t scripts < <(ours | xargs awk 'FNR == 1 && /^#!.*\/(ba)?sh/ { print FILENAME }' 2> /dev/null)

# Out of the kernel's source; unpacking it once takes half a minute.
find_checkpatch()
{
	local tar=/usr/src/linux-source-6.1.tar.xz dir=$vm_cache/checkpatch

	checkpatch=$dir/scripts/checkpatch.pl
	[ ! -x "$checkpatch" ] || return 0
	[ -s $tar ] || return 1
	mkdir -p "$dir" && tar -xJf $tar -C "$dir" --strip-components=1 --wildcards \
		'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch'
}

# checkpatch_files IGNORED: on "${files[@]}", which a point that fails need not print
checkpatch_files()
{
	perl "$checkpatch" --no-tree --strict --quiet --no-summary \
		--ignore "FILE_PATH_CHANGES,MACRO_ARG_REUSE,EMBEDDED_FILENAME,$1" -f "${files[@]}"
}

if find_checkpatch; then
	# tracepoints are not quite C, and pure.h is where the kernel's types come from
	mapfile -t files < <(printf '%s\n' "${csources[@]}" | grep -v '^tools/\|/trace\.h$\|/pure\.h$')
	check "checkpatch --strict: modules" \
		checkpatch_files LINUX_VERSION_CODE,CONSTANT_COMPARISON
	# in a program, sig_atomic_t is volatile, macros for attributes are its own, and a list
	# that takes a macro (KNOWN_PROTOS) cannot be enclosed in parentheses
	mapfile -t files < <(printf '%s\n' "${csources[@]}" | grep '^tools/')
	check "checkpatch --strict: the tool" \
		checkpatch_files VOLATILE,PREFER_DEFINED_ATTRIBUTE_MACRO,COMPLEX_MACRO
else
	skip "checkpatch --strict" "the package linux-source-6.1 is not installed"
fi

check "modules with sparse and W=1" selftests/vm/build-modules --try --sparse
check "each file uses only those below it: kmod/LAYERS" selftests/layers.py \
	"build/$(selftests/vm/kernel --release)-sparse"
check "modules with clang and W=1" selftests/vm/build-modules --try --llvm

if have shellcheck; then
	check "shellcheck" shellcheck -x -S warning "${scripts[@]}"
else
	skip "shellcheck" "not installed"
fi

# The lists of protocols and modules outside C, by those in cli.h and Kbuild.
sorted() { tr -s ' ",[]' '\n' | sed '/^ipsec$/d; /^$/d' | sort -u | xargs; }
same_protos()
{
	local protos modules rc=0
	protos=$(sed -n 's/^\tf("\([a-z0-9]*\)", .*/\1/p' tools/lib/cli.h | sorted)
	modules=$(sed -n 's/^obj-.* += vpnpass_\(.*\)\.o$/\1/p' Kbuild | sorted)
	list()
	{
		[ "$2" = "$1" ] || { echo "$3 has \"$2\" and not \"$1\""; rc=1; }
	}
	list "$modules" "$(sed -n 's/^\tf(.*"vpnpass_\([a-z0-9]*\)").*/\1/p' tools/lib/cli.h | sorted)" cli.h
	list "$protos" "$(sed -n 's/^const ORDER = \(.*\);/\1/p' packaging/pages/model.js | sorted)" model.js
	list "$protos" "$(sed -n 's/.*of\["all"\] = \(".*"\)/\1/p' packaging/apply | sorted)" packaging/apply
	list "$modules" "$(sed -n 's/^all="\(.*\)"/\1/p' packaging/apply | sed 's/vpnpass_//g' | sorted)" \
		packaging/apply
	list "$modules" "$(sed -n 's/^vpnpass_helpers := //p' packaging/openwrt/vpnpass/Makefile | sorted)" \
		packaging/openwrt/vpnpass/Makefile
	list "$modules" "$(sed -n 's/^BUILT_MODULE_NAME.*="vpnpass_\(.*\)"/\1/p' dkms.conf | sorted)" dkms.conf
	return $rc
}
check "every list of protocols is the same" same_protos

if have yamllint; then
	check "yamllint" yamllint -d '{extends: default, rules: {line-length: {max: 100}}}' uapi/vpnpass.yaml
else
	skip "yamllint" "not installed"
fi

check "generated files are current" uapi/generate.py --check
check "docs/performance.md has the figures that are kept" selftests/bench/tables.py --check
check "docs/pairing.md has the figures that are kept" selftests/sim/tables.py --check

# The generator takes specs of the kernel's licence only, and of one folder.
ynl_c()
{
	local generator=$ynl/tools/net/ynl/ynl-gen-c.py

	[ -e "$generator" ] || generator=$ynl/tools/net/ynl/pyynl/ynl_gen_c.py
	sed '1s/: .*/: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)/' uapi/vpnpass.yaml \
		> "$ynl/Documentation/netlink/specs/vpnpass.yaml"
	python3 "$generator" --mode user "$@" -o "$scratch/vpnpass-user.h" \
		--spec "$ynl/Documentation/netlink/specs/vpnpass.yaml"
}

# 6.12's and the newest that continuous integration runs
for version in 6.12 $(sed -n 's/^newest=//p' .ci/run); do
	if python3 -c 'import jsonschema' 2> /dev/null && ynl=$(selftests/vm/ynl "$version"); then
		check "the spec is valid by the schema of $version" selftests/unit/spec_check.py \
			"$ynl/Documentation/netlink/genetlink-legacy.yaml"
		check "the generator of $version makes C of it for programs" \
			eval 'ynl_c --header && ynl_c --source'
	else
		skip "the spec is valid by the schema of $version" \
			"no linux-source-$version can be had, or python3-jsonschema is missing"
	fi
done

kernel_versions()
{
	! git grep -n 'LINUX_VERSION_CODE\|KERNEL_VERSION(' -- kmod tools | grep -v '^kmod/compat/'
}
check "kernel versions are asked for in kmod/compat alone" kernel_versions

done_testing
