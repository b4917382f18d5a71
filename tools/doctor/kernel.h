/* SPDX-License-Identifier: GPL-2.0 */
/* Dumps of other netlink families than our own. */
#ifndef _VPNPASS_DOCTOR_KERNEL_H
#define _VPNPASS_DOCTOR_KERNEL_H

#include <libmnl/libmnl.h>
#include <stdint.h>

#define KERNEL_REQUEST_SIZE	512

/* Times that a list is read which changes meanwhile. */
#define KERNEL_READ_TRIES	10

typedef void (*kernel_take)(const struct nlmsghdr *nlh, void *data);

int kernel_dump(int bus, struct nlmsghdr *nlh, kernel_take take, void *data);
struct nlmsghdr *kernel_request(void *buffer, uint16_t type);
struct nlmsghdr *kernel_nfnl_request(void *buffer, uint8_t subsystem, uint8_t type,
				     uint8_t family);

#endif /* _VPNPASS_DOCTOR_KERNEL_H */
