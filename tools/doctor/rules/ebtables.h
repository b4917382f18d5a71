/* SPDX-License-Identifier: GPL-2.0 */
/* The tables of ebtables-legacy, which are not judged. */
#ifndef _VPNPASS_DOCTOR_EBTABLES_H
#define _VPNPASS_DOCTOR_EBTABLES_H

unsigned int ebtables_count(const char *table);

#endif /* _VPNPASS_DOCTOR_EBTABLES_H */
