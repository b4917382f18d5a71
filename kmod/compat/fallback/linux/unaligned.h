/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This folder is searched last: a header is found here only when the kernel
 * has none of that name. Before 6.12 the unaligned accessors were asm/'s.
 */
#include <asm/unaligned.h>
