/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events for those who keep them: the journal, and RFC 5424.
 */
#ifndef _VPNPASS_EVENT_LOG_H
#define _VPNPASS_EVENT_LOG_H

#include "cli.h"

#define JOURNAL_SOCKET	"/run/systemd/journal/socket"

int journal_open(const char *path);
int journal_send(int fd, const struct event *e);
void syslog_print(FILE *file, const struct event *e);

#endif /* _VPNPASS_EVENT_LOG_H */
