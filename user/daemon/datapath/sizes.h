/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How much the maps hold, and whether a configuration has room in them.
 */
#ifndef SLUICE_DAEMON_DATAPATH_SIZES_H
#define SLUICE_DAEMON_DATAPATH_SIZES_H

#include <stddef.h>

#include "sluice/abi.h"

struct datapath;
struct diag;

/* The table of one address of a service. */
struct datapath_table {
	struct sl_key key;
	enum sl_scheduler scheduler;
	unsigned size; /* slots, at most */
};

/* How many of each the maps hold; and the seed, which is as fixed as they are. */
struct datapath_sizes {
	unsigned services; /* twice as many entries are made */
	unsigned backends;
	unsigned slots;
	unsigned limits;  /* twice as many are made: changed limits replace others */
	unsigned buckets; /* of sources that are limited */
	unsigned gate;    /* words of 8 bytes */
	unsigned flows;
	unsigned
		prefixes; /* of the configuration; their map is always made as large as it may be */
	unsigned long long hash_seed;
	/* For datapath_fits(): how `slots` is made up. May be NULL. */
	struct datapath_table *tables;
	size_t n_tables;
};

/* Whether the maps can be brought to hold sizes, in whatever steps. A table that replaces
 * another one needs room beside it, so that connections go on. 0, or -ENOSPC and diag.
 */
int datapath_fits(const struct datapath *datapath, const struct datapath_sizes *sizes,
		  struct diag *diag);

#endif
