# SPDX-License-Identifier: GPL-2.0
# fish completion for vpnpass(8): the tool itself knows what may follow.

function __vpnpass_words
    set -l typed (commandline --tokenize --cut-at-cursor --current-process)
    set -l offered ($typed[1] complete -- $typed[2..-1] (commandline --current-token --cut-at-cursor) 2>/dev/null)
    if test "$offered[1]" = :files
        __fish_complete_path (commandline --current-token)
        return
    end
    printf '%s\n' $offered
end

complete --command vpnpass --no-files --arguments '(__vpnpass_words)'
