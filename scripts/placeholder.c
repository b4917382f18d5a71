// SPDX-License-Identifier: GPL-2.0
/*
 * What scripts/dkms-build installs in place of a helper that does not build for
 * this kernel: it cannot be loaded, and says why.
 */
#include <linux/errno.h>
#include <linux/module.h>

static int __init placeholder_init(void)
{
	pr_err("%s: did not build for this kernel, see DKMS's make.log; the other helpers work\n",
	       KBUILD_MODNAME);
	return -ENOPKG;
}
module_init(placeholder_init);

MODULE_DESCRIPTION("placeholder of a vpnpass helper that did not build for this kernel");
MODULE_LICENSE("GPL");
