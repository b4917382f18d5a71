/* SPDX-License-Identifier: GPL-2.0 */
/* The hooks that the modes ask for; under vpnpass_mutex. */
#ifndef VPNPASS_CORE_HOOKS_H
#define VPNPASS_CORE_HOOKS_H

#include "core.h"

int vpnpass_hooks_update(struct vpnpass_net *vn);
void vpnpass_hooks_drop(struct vpnpass_net *vn);

#endif /* VPNPASS_CORE_HOOKS_H */
