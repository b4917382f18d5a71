// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for kmod/l2tp/parse.c: packets are parsed whole and at every
 * way of cutting them short. The first byte says which encapsulation (bit 0:
 * IP), the rest is the packet.
 */
#include "l2tp/parse.h"
#include "fuzz.h"

static void parse(struct l2tp_msg *m, const u8 *p, u32 cap, u32 len,
		  enum l2tp_encap encap)
{
	memset(m, 0xa5, sizeof(*m));
	MUST(l2tp_parse(m, at_heap_end(p, cap), cap, len, encap) == m->cls);
}

static void check(const struct l2tp_msg *m)
{
	if (m->cls == L2TP_CLASS_BAD) {
		MUST(m->reason > L2TP_OK && m->reason < L2TP_BAD_MAX);
		return;
	}
	MUST(m->reason == L2TP_OK);
	MUST(m->version == 2 || m->version == 3);
	MUST(m->cls == L2TP_CLASS_CONTROL || !m->hidden);
	if (m->cls == L2TP_CLASS_CONTROL)
		return;
	MUST(m->cls == L2TP_CLASS_DATA);
	MUST(m->version == 2 ? m->tunnel : m->session_v3);
	MUST(!m->has && !m->type);
}

/* Capturing less may hide things but must not change them. */
static void check_cut(const struct l2tp_msg *full, const struct l2tp_msg *cut)
{
	if (cut->cls == L2TP_CLASS_BAD) {
		/* Another of several wrong AVPs may come first. */
		MUST(cut->reason == full->reason ||
		     cut->reason == L2TP_BAD_CAPTURE ||
		     (cut->reason >= L2TP_BAD_AVP_LEN &&
		      full->reason >= L2TP_BAD_AVP_LEN));
		return;
	}
	/* An AVP that is wrong may lie behind the cut. */
	if (full->cls == L2TP_CLASS_BAD) {
		MUST(full->reason >= L2TP_BAD_AVP_LEN);
		return;
	}
	MUST(cut->cls == full->cls && cut->type == full->type);
	MUST(cut->tunnel == full->tunnel);
	MUST(cut->ccid == full->ccid);
	MUST(cut->session_v3 == full->session_v3);
	MUST(!(cut->has & ~full->has) && !(cut->hidden & ~full->hidden));
	if (cut->has & L2TP_HAS_TUNNEL)
		MUST(cut->assigned_tunnel == full->assigned_tunnel);
	if (cut->has & L2TP_HAS_CCID)
		MUST(cut->assigned_ccid == full->assigned_ccid);
	if (cut->has & L2TP_HAS_LOCAL)
		MUST(cut->local_session == full->local_session);
	if (cut->has & L2TP_HAS_REMOTE)
		MUST(cut->remote_session == full->remote_session);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct l2tp_msg m, cut;
	enum l2tp_encap encap;
	u32 cap, len;

	if (!size || size > 65536)
		return 0;
	encap = data[0] & 1 ? L2TP_IP : L2TP_UDP;
	data++;
	len = (u32)size - 1;
	parse(&m, data, len, len, encap);
	check(&m);
	for (cap = 0; cap < len && cap < 256; cap++) {
		parse(&cut, data, cap, len, encap);
		check_cut(&m, &cut);
	}
	return 0;
}
