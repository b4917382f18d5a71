/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPNPASS_CORE_MODE_H
#define VPNPASS_CORE_MODE_H

#include "core.h"

int vpnpass_mode_apply(struct vpnpass_net *vn, struct vpnpass_proto *p, u32 mode);
void vpnpass_mode_settle(struct vpnpass_net *vn, struct vpnpass_proto *p);
int vpnpass_mode_set(struct vpnpass_net *vn, struct vpnpass_proto *p, u32 mode);
int vpnpass_setting_set(struct vpnpass_net *vn, struct vpnpass_proto *p,
			int idx, u32 value);

#endif /* VPNPASS_CORE_MODE_H */
