// SPDX-License-Identifier: GPL-2.0
/*
 * Stands in for libmnl and kernel.c, which the reader of nft rules calls. A test without
 * such rules can be built with it for architectures that the library is not installed for.
 */
#include <libmnl/libmnl.h>
#include <stdlib.h>

#include "../../tools/doctor/kernel.h"

#define UNUSED	__attribute__((unused))
#define NEVER(type, name, ...)	type name(__VA_ARGS__) { abort(); }

NEVER(bool, mnl_attr_ok, const struct nlattr *attr UNUSED, int length UNUSED)
NEVER(struct nlattr *, mnl_attr_next, const struct nlattr *attr UNUSED)
NEVER(uint16_t, mnl_attr_get_type, const struct nlattr *attr UNUSED)
NEVER(uint16_t, mnl_attr_get_payload_len, const struct nlattr *attr UNUSED)
NEVER(void *, mnl_attr_get_payload, const struct nlattr *attr UNUSED)
NEVER(uint8_t, mnl_attr_get_u8, const struct nlattr *attr UNUSED)
NEVER(uint16_t, mnl_attr_get_u16, const struct nlattr *attr UNUSED)
NEVER(uint32_t, mnl_attr_get_u32, const struct nlattr *attr UNUSED)
NEVER(uint64_t, mnl_attr_get_u64, const struct nlattr *attr UNUSED)
NEVER(const char *, mnl_attr_get_str, const struct nlattr *attr UNUSED)
NEVER(void, mnl_attr_put_u8, struct nlmsghdr *nlh UNUSED, uint16_t type UNUSED,
      uint8_t value UNUSED)
NEVER(void, mnl_attr_put_strz, struct nlmsghdr *nlh UNUSED, uint16_t type UNUSED,
      const char *text UNUSED)
NEVER(void *, mnl_nlmsg_get_payload, const struct nlmsghdr *nlh UNUSED)
NEVER(void *, mnl_nlmsg_get_payload_offset, const struct nlmsghdr *nlh UNUSED,
      size_t offset UNUSED)
NEVER(void *, mnl_nlmsg_get_payload_tail, const struct nlmsghdr *nlh UNUSED)
NEVER(int, kernel_dump, int bus UNUSED, struct nlmsghdr *nlh UNUSED, kernel_take take UNUSED,
      void *data UNUSED)
NEVER(struct nlmsghdr *, kernel_nfnl_request, void *buffer UNUSED, uint8_t subsystem UNUSED,
      uint8_t type UNUSED, uint8_t family UNUSED)
