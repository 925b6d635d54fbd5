/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Maglev's lookup table (Eisenbud et al., "Maglev: A Fast and Reliable Software
 * Network Load Balancer", NSDI 2016, section 3.4), with weights: turns are
 * dealt in proportion to them. The table depends on the set of members alone,
 * not on their order.
 */
#ifndef SLUICE_LIB_BALANCE_MAGLEV_H
#define SLUICE_LIB_BALANCE_MAGLEV_H

#include <stddef.h>
#include <stdint.h>

#define MAGLEV_EMPTY (~0U)

struct maglev_member {
	uint64_t identity; /* what makes it this member on every machine */
	unsigned rank;     /* among members of one identity, on every machine */
	unsigned weight;   /* 0: gets no slots */
	unsigned value;    /* written to its slots */
};

/* Fills size slots (a prime, or table is not balanced). Reorders members. With
 * no weight above 0 every slot is MAGLEV_EMPTY. 0 or -ENOMEM.
 */
int maglev_build(struct maglev_member *members, size_t n, unsigned *table, unsigned size);

#endif
