/* SPDX-License-Identifier: GPL-2.0 */
/* The chain behind the administrator's rules. */
#ifndef VPNPASS_CORE_AFTER_RULES_H
#define VPNPASS_CORE_AFTER_RULES_H

#include "core.h"

void vpnpass_rules_init(struct vpnpass_net *vn);
void vpnpass_rules_drop(struct vpnpass_net *vn);
void vpnpass_rules_exit(struct vpnpass_net *vn);

#endif /* VPNPASS_CORE_AFTER_RULES_H */
