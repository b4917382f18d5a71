/* SPDX-License-Identifier: GPL-2.0 */
/* Meanings of the counters. */
#ifndef _VPNPASS_COUNTERS_H
#define _VPNPASS_COUNTERS_H

const char *counter_help(const char *name);

#endif /* _VPNPASS_COUNTERS_H */
