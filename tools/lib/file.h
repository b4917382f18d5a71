/* SPDX-License-Identifier: GPL-2.0 */
/* Files read and written whole. */
#ifndef _VPNPASS_FILE_H
#define _VPNPASS_FILE_H

#include <stddef.h>

char *file_read(const char *name, size_t *length);
int file_write(const char *name, const char *data, size_t length);

#endif /* _VPNPASS_FILE_H */
