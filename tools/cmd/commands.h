/* SPDX-License-Identifier: GPL-2.0 */
/* The commands, a file each. */
#ifndef _VPNPASS_COMMANDS_H
#define _VPNPASS_COMMANDS_H

#include "../lib/cli.h"

extern const struct command complete_command;
extern const struct command doctor_command;
extern const struct command help_command;
extern const struct command monitor_command;
extern const struct command restore_command;
extern const struct command save_command;
extern const struct command session_command;
extern const struct command set_command;
extern const struct command show_command;
extern const struct command stats_command;
extern const struct command top_command;

const struct command *command_find(const char *word);
const struct command *command_next(const struct command *last);
int command_unknown(const char *word);

#endif /* _VPNPASS_COMMANDS_H */
