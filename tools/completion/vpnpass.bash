# SPDX-License-Identifier: GPL-2.0
# bash completion for vpnpass(8): the tool itself knows what may follow, as
# protocols, settings and clients are the kernel's.

_vpnpass()
{
	local words=("${COMP_WORDS[@]:1:COMP_CWORD}")

	# bash breaks words at colons, an IPv6 address among them
	if declare -F _get_comp_words_by_ref >/dev/null; then
		local cur cword all
		_get_comp_words_by_ref -n : -c cur -i cword -w all
		words=("${all[@]:1:cword}")
	fi
	mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" complete -- "${words[@]}" 2>/dev/null)
	# a file is what the shell knows better how to list and quote
	if [[ ${COMPREPLY[0]-} == :files ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "${words[-1]}")
		return
	fi
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "${cur:-}"
	fi
}

complete -F _vpnpass vpnpass
