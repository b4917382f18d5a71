#compdef vpnpass
# SPDX-License-Identifier: GPL-2.0
# zsh completion for vpnpass(8): the tool itself knows what may follow.

_vpnpass()
{
	local -a words_so_far offered
	words_so_far=("${(@)words[2,CURRENT]}")
	offered=("${(@f)$(_call_program words "${words[1]} complete -- ${(@q)words_so_far}")}")
	if [[ ${offered[1]-} == :files ]]; then
		_files
		return
	fi
	[[ -z ${offered[*]} ]] || compadd -- "${offered[@]}"
}

_vpnpass "$@"
