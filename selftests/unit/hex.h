/* SPDX-License-Identifier: GPL-2.0 */
/* Packets as the tests of parsers write them: in hexadecimal, with spaces. */
#ifndef UNIT_HEX_H
#define UNIT_HEX_H

#include <stdio.h>
#include <stdlib.h>

/* The arguments, macros among them expanded, as a string. */
#define HEX(...)	HEX_STRING(__VA_ARGS__)
#define HEX_STRING(...)	#__VA_ARGS__

static inline u32 unhex(const char *s, u8 *to, u32 room)
{
	unsigned int v;
	u32 n = 0;

	for (; *s; s++) {
		if (*s == ' ')
			continue;
		if (n == room || sscanf(s, "%2x", &v) != 1)
			abort();
		to[n++] = (u8)v;
		s++;
	}
	return n;
}

#endif /* UNIT_HEX_H */
