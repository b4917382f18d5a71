/* SPDX-License-Identifier: GPL-2.0 */
/* Each check looks at the evidence and reports with found() and not_examined(). */
#ifndef _VPNPASS_DOCTOR_CHECKS_H
#define _VPNPASS_DOCTOR_CHECKS_H

#include "../doctor.h"

void check_bypass(const struct evidence *ev, struct report *r);
void check_conntrack(const struct evidence *ev, struct report *r);
void check_fragments(const struct evidence *ev, struct report *r);
void check_host(const struct evidence *ev, struct report *r);
void check_link(const struct evidence *ev, struct report *r);
void check_policies(const struct evidence *ev, struct report *r);
void check_refusals(const struct evidence *ev, struct report *r);
void check_routes(const struct evidence *ev, struct report *r);
void check_rules(const struct evidence *ev, struct report *r);
void check_silence(const struct evidence *ev, struct report *r);
void check_stale(const struct evidence *ev, struct report *r);
void check_switches(const struct evidence *ev, struct report *r);
void check_unfit(const struct evidence *ev, struct report *r);
void check_untranslated(const struct evidence *ev, struct report *r);
void check_vpns(const struct evidence *ev, struct report *r);
void check_wan(const struct evidence *ev, struct report *r);
void check_wifi_calling(const struct evidence *ev, struct report *r);

/* host.c */
const struct asked *nat_proof(const struct evidence *ev);
char *nat_text(const struct evidence *ev, const struct asked *a);

/* link.c */
bool is_cut_off(const struct evidence *ev);

/* silence.c */
unsigned int answers_heard(const struct evidence *ev, const struct flow *f);

/* stale.c */
bool flow_may_be_stale(const struct evidence *ev, const struct flow *f);

/* untranslated.c */
bool masquerades_clients(const struct evidence *ev, uint8_t l4proto);

/* wifi_calling.c */
bool asks_epdg(const struct evidence *ev);

#endif /* _VPNPASS_DOCTOR_CHECKS_H */
