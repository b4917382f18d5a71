// SPDX-License-Identifier: GPL-2.0
/*
 * Counters that only ever grow, read twice: what they say is what they grew by
 * while the doctor looked.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include "doctor.h"

static struct maybe read_one(enum counter_kind kind)
{
	switch (kind) {
	case COUNTER_DROP:
		return proc_conntrack_stat("drop");
	case COUNTER_INSERT_FAILED:
		return proc_conntrack_stat("insert_failed");
	case COUNTER_INVALID:
		return proc_conntrack_stat("invalid");
	case COUNTER_REVERSE_PATH:
		return proc_snmp("/proc/net/netstat", "TcpExt:", "IPReversePathFilter");
	case COUNTER_NO_ROUTE_IN:
		return proc_snmp("/proc/net/netstat", "IpExt:", "InNoRoutes");
	case N_COUNTERS:
		break;
	}
	return (struct maybe){};
}

/**
 * readings_take - Read them all.
 * @r: Filled in.
 */
void readings_take(struct readings *r)
{
	enum counter_kind i;

	for (i = 0; i < N_COUNTERS; i++)
		r->value[i] = read_one(i);
}

/**
 * readings_any - Whether one has counted since the system started, so that it is
 * worth while to read them again.
 * @r: From readings_take().
 */
bool readings_any(const struct readings *r)
{
	enum counter_kind i;

	for (i = 0; i < N_COUNTERS; i++)
		if (r->value[i].value)
			return true;
	return false;
}

/**
 * grew_by - How far one has got while the doctor looked.
 * @ev: The evidence.
 * @kind: Which.
 */
uint64_t grew_by(const struct evidence *ev, enum counter_kind kind)
{
	uint64_t before = ev->before.value[kind].value, after = ev->after.value[kind].value;

	return after > before ? after - before : 0;
}
