// SPDX-License-Identifier: GPL-2.0
/*
 * net.vpnpass.PROTO: the switch as a sysctl, 0 off, 1 on, 2 block. The same
 * state as the netlink one.
 */
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "core.h"
#include "mode.h"

static int mode_handler(VPNPASS_CTL_TABLE *table, int write, void *buffer,
			size_t *lenp, loff_t *ppos)
{
	int mode, max = VPNPASS_MODE_BLOCK, err;
	struct vpnpass_netns *ns = table->extra1;
	struct vpnpass_proto *p = table->extra2;
	struct vpnpass_net *vn = vpnpass_net_get(ns->net);
	struct ctl_table tmp = {
		.procname = table->procname,
		.data = &mode,
		.maxlen = sizeof(mode),
		.mode = table->mode,
		.extra1 = SYSCTL_ZERO,
		.extra2 = &max,
	};

	mode = vn ? READ_ONCE(vn->proto[p->idx].mode) : VPNPASS_MODE_OFF;
	err = proc_dointvec_minmax(&tmp, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	/* Removal of the sysctl waits for us with the mutex held. */
	if (!mutex_trylock(&vpnpass_mutex))
		return restart_syscall();
	vn = vpnpass_net_make(ns->net);
	err = IS_ERR(vn) ? PTR_ERR(vn) : vpnpass_mode_set(vn, p, mode);
	mutex_unlock(&vpnpass_mutex);
	return err;
}

int vpnpass_sysctl_add(struct vpnpass_netns *ns, struct vpnpass_proto *p)
{
	struct ctl_table_header *header;
	struct ctl_table *table;

	/* The second, empty one is the end mark that older kernels look for. */
	table = kcalloc(2, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	table->procname = p->name;
	table->maxlen = sizeof(int);
	table->mode = 0644;
	table->proc_handler = mode_handler;
	table->extra1 = ns;
	table->extra2 = p;
	header = vpnpass_register_sysctl(ns->net, "net/vpnpass", table);
	if (!header) {
		kfree(table);
		return -ENOMEM;
	}
	ns->sysctl[p->idx] = header;
	return 0;
}

void vpnpass_sysctl_del(struct vpnpass_netns *ns, int idx)
{
	struct ctl_table_header *header = ns->sysctl[idx];
	const struct ctl_table *table;

	if (!header)
		return;
	ns->sysctl[idx] = NULL;
	table = header->ctl_table_arg;
	unregister_net_sysctl_table(header);
	kfree(table);
}
