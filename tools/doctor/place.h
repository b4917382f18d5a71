/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a rule, or the policy of a chain, is told of, and how it is called by the program
 * whose rule it is.
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
