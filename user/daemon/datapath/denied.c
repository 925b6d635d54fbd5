// SPDX-License-Identifier: BSD-2-Clause
/* The program goes by the end of each prefix's time; datapath_access_tick() tidies up behind
 * it.
 */
#include "daemon/datapath/denied.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "lib/base/diag.h"
#include "sluice/second.h"

/* A copy with the prefix set, or (NULL) taken out. */
static int change_runtime(struct datapath *datapath, const struct prefix *out,
			  const struct prefix_entry *in)
{
	const struct prefix_set *set = prefixes_find(&datapath->prefixes, SL_LIST_RUNTIME);
	size_t n = set ? set->n : 0, kept = 0;
	struct prefix_entry *entries = calloc(n + 1, sizeof(*entries));
	int error;

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (prefix_compare(&set->entries[i].prefix, out))
			entries[kept++] = set->entries[i];
	if (!in && kept == n) {
		free(entries);
		return -ENOENT;
	}
	if (in)
		entries[kept++] = *in;
	error = prefixes_change(&datapath->prefixes, SL_LIST_RUNTIME, entries, kept);
	if (!error)
		prefixes_use(&datapath->prefixes, SL_TUNING_RUNTIME, kept != 0);
	return error;
}

int datapath_deny(struct datapath *datapath, const struct prefix *prefix, unsigned seconds,
		  struct diag *diag)
{
	const struct prefix_entry entry = {
		.prefix = *prefix,
		.deny = true,
		/* Not sooner than asked for: the second that runs is partly over. 0 would be
		 * for ever.
		 */
		.expires = seconds ? (clock_second() + clock_timeout(seconds * 1000) + 1) ?: 1 : 0,
	};
	int error = change_runtime(datapath, prefix, &entry);

	return error ? diag_set(diag, -error, "the maps have no room for it: %s", strerror(-error))
		     : 0;
}

int datapath_undeny(struct datapath *datapath, const struct prefix *prefix)
{
	return change_runtime(datapath, prefix, NULL);
}

/* Without the second that datapath_deny() adds, so that no more is shown than was asked for. */
static unsigned seconds_left(const struct prefix_entry *entry)
{
	int left = (int)(entry->expires - clock_second()) - 1;

	if (!entry->expires)
		return 0;
	return left > 0 ? (unsigned)(sl_second_ns((__u32)left) / 1000000000) : 1;
}

int datapath_denied(const struct datapath *datapath, struct denied **ret_denied, size_t *ret_n)
{
	const struct prefix_set *set = prefixes_find(&datapath->prefixes, SL_LIST_RUNTIME);
	size_t n = set ? set->n : 0;
	struct denied *denied = calloc(n + 1, sizeof(*denied));

	if (!denied)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		denied[i] = (struct denied){
			.prefix = set->entries[i].prefix,
			.seconds = seconds_left(&set->entries[i]),
		};
	*ret_denied = denied;
	*ret_n = n;
	return 0;
}

void datapath_access_tick(struct datapath *datapath)
{
	const struct prefix_set *set = prefixes_find(&datapath->prefixes, SL_LIST_RUNTIME);
	unsigned now = clock_second();

	for (size_t i = 0; set && i < set->n;) {
		if (!set->entries[i].expires || (int)(set->entries[i].expires - now) > 0) {
			i++;
			continue;
		}
		if (datapath_undeny(datapath, &(struct prefix){ set->entries[i].prefix.ip,
								set->entries[i].prefix.bits }))
			return;
		set = prefixes_find(&datapath->prefixes, SL_LIST_RUNTIME);
	}
}
