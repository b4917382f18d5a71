/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way to the kernel and back. transport.c is the real
 * one; the tests link one that plays recorded messages instead.
 */
#ifndef _VPNPASS_TRANSPORT_H
#define _VPNPASS_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct transport;

struct transport *transport_open(void);
void transport_close(struct transport *t);
uint32_t transport_portid(const struct transport *t);
int transport_join(struct transport *t, uint32_t group);
int transport_send(struct transport *t, const void *data, size_t length);
int transport_fd(const struct transport *t);
ssize_t transport_receive(struct transport *t, void *data, size_t size);

#endif /* _VPNPASS_TRANSPORT_H */
