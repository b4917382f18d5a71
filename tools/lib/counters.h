/* SPDX-License-Identifier: GPL-2.0 */
/* What the counters mean. */
#ifndef _VPNPASS_COUNTERS_H
#define _VPNPASS_COUNTERS_H

const char *counter_help(const char *name);

#endif /* _VPNPASS_COUNTERS_H */
