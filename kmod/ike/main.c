// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass_ike.ko: two protocols, "ike" for port 500 and "natt" for port 4500,
 * with a switch each.
 */
#include <linux/module.h>

#include "ike.h"

static int __init ike_init(void)
{
	int err;

	err = vpnpass_proto_register(&ike_proto, &ike_ops);
	if (err)
		return err;
	err = vpnpass_proto_register(&natt_proto, &natt_ops);
	if (err)
		vpnpass_proto_unregister(&ike_proto);
	return err;
}

/* NAT-T first: it tells the other. */
static void __exit ike_exit(void)
{
	vpnpass_proto_unregister(&natt_proto);
	vpnpass_proto_unregister(&ike_proto);
}

module_init(ike_init);
module_exit(ike_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VPN passthrough for NAT routers: IKE and IPsec NAT-T");
MODULE_VERSION(VPNPASS_VERSION);
