// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/learn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/learning.h"
#include "daemon/log.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

/* ---- prefixes ------------------------------------------------------------------ */

static bool is_list_of_ours(const void *arg, unsigned list)
{
	const struct datapath *datapath = arg;

	if (list == SL_LIST_ALL || list == SL_LIST_RUNTIME)
		return true;
	if (list & SL_LIST_EXEMPT)
		return blocks_have_number(&datapath->blocks, list & ~SL_LIST_EXEMPT);
	return lists_are_named(&datapath->lists, list);
}

/* The lists of services and limits must be known: others are removed. */
static int learn_prefixes(struct learning *learning)
{
	struct datapath *datapath = learning->datapath;
	const struct prefix_set *denied;
	int error = prefixes_learn(&datapath->prefixes);

	if (error)
		return error;
	prefixes_keep(&datapath->prefixes, is_list_of_ours, datapath);
	denied = prefixes_find(&datapath->prefixes, SL_LIST_RUNTIME);
	prefixes_use(&datapath->prefixes, SL_TUNING_RUNTIME, denied && denied->n);
	return 0;
}

/* ---- backends --------------------------------------------------------------------- */

/* Once services, returns and flows are known, so are all backends: no other one serves. */
static int learn_no_more_backends(struct learning *learning)
{
	const struct maps *maps = &learning->datapath->maps;

	for (unsigned i = 0; i < maps->map[MAP_BACKENDS].entries; i++) {
		if (!learning->owner[i].installed)
			__atomic_store_n(&maps->backends[i].state, 0, __ATOMIC_RELEASE);
	}
	return 0;
}

/* ---- all of them --------------------------------------------------------------------- */

static int explain(int error, struct diag *diag)
{
	switch (error) {
	case -EPROTO:
		return diag_set(diag, EPROTO, "its maps hold what no sluice writes there");
	case -ENOMEM:
		return diag_no_memory(diag);
	default:
		return diag_set(diag, -error, "cannot read its maps: %s", strerror(-error));
	}
}

int datapath_learn(struct datapath *datapath, struct diag *diag)
{
	/* In this order: each goes by those before it. */
	static int (*const steps[])(struct learning *learning) = {
		learn_services,
		learn_prefixes,
		learn_flows,
		learn_no_more_backends,
	};
	_cleanup_(cleanup_free) struct learning_owner *owner =
		calloc(datapath->maps.map[MAP_BACKENDS].entries, sizeof(*owner));
	struct learning learning = { .datapath = datapath, .owner = owner };

	if (!owner)
		return diag_no_memory(diag);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int error = steps[i](&learning);

		if (error)
			return explain(error, diag);
	}
	if (learning.n_removed)
		log_info("removed %u entries of the maps that led nowhere: an earlier sluiced was "
			 "ended in the middle of a change",
			 learning.n_removed);
	return 0;
}
