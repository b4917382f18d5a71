#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How the sources look, as TAP: checkpatch, sparse, warnings, scripts, man pages,
# and that what is generated is current. What a tool is missing for is skipped.
. "$(dirname "$0")/lib/tap.sh"
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

have() { command -v "$1" > /dev/null; }

mapfile -t csources < <(git ls-files 'kmod/*.[ch]' 'uapi/*.h' 'tools/*.[ch]')
mapfile -t scripts < <(git ls-files | xargs grep -slE '^#!.*/(ba)?sh' --)

checkpatch=$(ls -d /usr/src/linux-headers-*/scripts/checkpatch.pl 2> /dev/null | tail -n 1)
if [ -n "$checkpatch" ]; then
	check "checkpatch --strict" "$checkpatch" --no-tree --strict --quiet --no-summary \
		--ignore FILE_PATH_CHANGES,MACRO_ARG_REUSE,EMBEDDED_FILENAME,LINUX_VERSION_CODE -f "${csources[@]}"
else
	skip "checkpatch --strict" "no checkpatch.pl in the installed kernel headers"
fi

if have shellcheck; then
	check "shellcheck" shellcheck -x -S warning "${scripts[@]}"
else
	skip "shellcheck" "not installed"
fi

if have yamllint; then
	check "yamllint" yamllint -d '{extends: default, rules: {line-length: {max: 100}}}' uapi/vpnpass.yaml
else
	skip "yamllint" "not installed"
fi

check "generated files are current" uapi/generate.py --check

if have mandoc; then
	check "man pages" mandoc -Tlint -Wwarning tools/*.[1-9]
else
	skip "man pages" "mandoc is not installed"
fi

kernel_versions()
{
	! git grep -n 'LINUX_VERSION_CODE\|KERNEL_VERSION(' -- kmod tools | grep -v '^kmod/compat/'
}
check "kernel versions are asked for in kmod/compat alone" kernel_versions

done_testing
