/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Prefixes that the operator denies at run time, each for a time or for good.
 */
#ifndef SLUICE_DAEMON_DATAPATH_DENIED_H
#define SLUICE_DAEMON_DATAPATH_DENIED_H

#include <stddef.h>

#include "lib/base/prefix.h"

struct datapath;
struct diag;

/* seconds: until the prefix is allowed again; 0: for ever. A prefix that is denied already
 * gets the new time. 0, or -ENOSPC or -ENOMEM and diag.
 */
int datapath_deny(struct datapath *datapath, const struct prefix *prefix, unsigned seconds,
		  struct diag *diag);

struct denied {
	struct prefix prefix;
	unsigned seconds; /* that are left; 0: for ever */
};

/* Denies these prefixes and no others. 0, or -errno and diag, and nothing has changed. */
int datapath_set_denied(struct datapath *datapath, const struct denied *denied, size_t n,
			struct diag *diag);

/* -ENOENT: is not denied at run time. */
int datapath_undeny(struct datapath *datapath, const struct prefix *prefix);

/* *ret_denied is the caller's to free; sorted by prefix_compare(). 0 or -ENOMEM. */
int datapath_denied(const struct datapath *datapath, struct denied **ret_denied, size_t *ret_n);

/* By the clock, once a second: removes the prefixes whose time has run out. Returns how many
 * they were.
 */
size_t datapath_access_tick(struct datapath *datapath);

#endif
