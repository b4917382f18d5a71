/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words for a rule or for the policy of a chain, and the name that the rule has for nft
 * or for iptables.
 */
#ifndef _VPNPASS_DOCTOR_PLACE_H
#define _VPNPASS_DOCTOR_PLACE_H

#include "rules/eval.h"

char *place_text(const struct place *place);
char *place_name(const struct place *place);
char *place_removal(const struct place *place);
size_t place_number(const struct place *place);
const char *iptables_program(const struct nft_chain *chain);

#endif /* _VPNPASS_DOCTOR_PLACE_H */
