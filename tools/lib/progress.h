/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A line on a terminal about what takes longer than a second. Without a terminal
 * nothing is ever printed.
 */
#ifndef _VPNPASS_PROGRESS_H
#define _VPNPASS_PROGRESS_H

#include <stddef.h>

void progress_begin(const char *what);
void progress_at(size_t done, size_t total);
void progress_hide(void);
void progress_end(void);

#endif /* _VPNPASS_PROGRESS_H */
