/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that the fuzz targets of the parsers share. */
#ifndef VPNPASS_FUZZ_H
#define VPNPASS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#define MUST(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: broken: %s\n",		\
				__FILE__, __LINE__, #cond);		\
			abort();					\
		}							\
	} while (0)

#define HEAP_BLOCK	65536u

/* A copy that ends where its heap block does: ASan sees who reads on. */
static inline const u8 *at_heap_end(const u8 *p, u32 len)
{
	static u8 *block;

	if (!block)
		block = malloc(HEAP_BLOCK);
	MUST(block && len <= HEAP_BLOCK);
	return memcpy(block + HEAP_BLOCK - len, p, len);
}

#endif
