/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: /sys/kernel/tracing/events/vpnpass. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vpnpass

#if !defined(VPNPASS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VPNPASS_TRACE_H

#include <linux/tracepoint.h>

#include "vpnpass.h"

DECLARE_EVENT_CLASS(vpnpass_session,
	TP_PROTO(const struct vpnpass_session *s, const char *reason),
	TP_ARGS(s, reason),
	TP_STRUCT__entry(
		__string(proto, s->proto->name)
		__string(reason, reason)
		__field(u64, id)
		__field(unsigned int, netns)
		__field(u8, family)
		__array(u8, client, 16)
		__array(u8, peer, 16)
		__array(u8, local, 16)
	),
	TP_fast_assign(
		vpnpass_assign_str(proto, s->proto->name);
		vpnpass_assign_str(reason, reason);
		__entry->id = s->id;
		__entry->netns = s->vn->net->ns.inum;
		__entry->family = s->family;
		memcpy(__entry->client, &s->client, 16);
		memcpy(__entry->peer, &s->peer, 16);
		memcpy(__entry->local, &s->local, 16);
	),
	TP_printk("netns=%u proto=%s id=%llu client=%pI6c peer=%pI6c local=%pI6c family=%u %s",
		  __entry->netns, __get_str(proto), __entry->id, __entry->client,
		  __entry->peer, __entry->local, __entry->family, __get_str(reason))
);

DEFINE_EVENT(vpnpass_session, vpnpass_session_end,
	TP_PROTO(const struct vpnpass_session *s, const char *reason),
	TP_ARGS(s, reason)
);

DEFINE_EVENT(vpnpass_session, vpnpass_session_begin,
	TP_PROTO(const struct vpnpass_session *s, const char *reason),
	TP_ARGS(s, reason)
);

#define trace_vpnpass_session_new(s)	trace_vpnpass_session_begin(s, "")

DECLARE_EVENT_CLASS(vpnpass_pin,
	TP_PROTO(const struct vpnpass_pin *pin),
	TP_ARGS(pin),
	TP_STRUCT__entry(
		__string(proto, pin->session->proto->name)
		__field(u64, id)
		__field(u64, number)
		__field(u8, dir)
		__field(u8, kind)
	),
	TP_fast_assign(
		vpnpass_assign_str(proto, pin->session->proto->name);
		__entry->id = pin->session->id;
		__entry->number = pin->key.number;
		__entry->dir = pin->dir;
		__entry->kind = pin->key.kind;
	),
	TP_printk("proto=%s id=%llu number=0x%llx dir=%u kind=%u",
		  __get_str(proto), __entry->id, __entry->number, __entry->dir,
		  __entry->kind)
);

DEFINE_EVENT(vpnpass_pin, vpnpass_pin_add,
	TP_PROTO(const struct vpnpass_pin *pin), TP_ARGS(pin));

DEFINE_EVENT(vpnpass_pin, vpnpass_pin_del,
	TP_PROTO(const struct vpnpass_pin *pin), TP_ARGS(pin));

#endif /* VPNPASS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
