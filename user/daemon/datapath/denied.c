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

/* The list holds these entries, whose ownership it takes, and no others. */
static int set_runtime(struct datapath *datapath, struct prefix_entry *entries, size_t n)
{
	int error = prefixes_change(&datapath->prefixes, SL_LIST_RUNTIME, entries, n);

	if (!error)
		prefixes_use(&datapath->prefixes, SL_TUNING_RUNTIME, n != 0);
	return error;
}

/* A copy with the prefix set, or (NULL) taken out. */
static int change_runtime(struct datapath *datapath, const struct prefix *out,
			  const struct prefix_entry *in)
{
	const struct prefix_set *set = prefixes_find(&datapath->prefixes, SL_LIST_RUNTIME);
	size_t n = set ? set->n : 0, kept = 0;
	struct prefix_entry *entries = calloc(n + 1, sizeof(*entries));

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
	return set_runtime(datapath, entries, kept);
}

static struct prefix_entry entry_of(const struct prefix *prefix, unsigned seconds)
{
	return (struct prefix_entry){
		.prefix = *prefix,
		.deny = true,
		/* Not sooner than asked for: the second that runs is partly over. 0 would be
		 * for ever.
		 */
		.expires = seconds ? (clock_second() + clock_timeout(seconds * 1000) + 1) ?: 1 : 0,
	};
}

static int explain(int error, struct diag *diag)
{
	return error ? diag_set(diag, -error, "the maps have no room for it: %s", strerror(-error))
		     : 0;
}

int datapath_deny(struct datapath *datapath, const struct prefix *prefix, unsigned seconds,
		  struct diag *diag)
{
	const struct prefix_entry entry = entry_of(prefix, seconds);

	return explain(change_runtime(datapath, prefix, &entry), diag);
}

int datapath_set_denied(struct datapath *datapath, const struct denied *denied, size_t n,
			struct diag *diag)
{
	struct prefix_entry *entries = calloc(n + 1, sizeof(*entries));

	if (!entries)
		return diag_no_memory(diag);
	for (size_t i = 0; i < n; i++)
		entries[i] = entry_of(&denied[i].prefix, denied[i].seconds);
	return explain(set_runtime(datapath, entries, n), diag);
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

static bool has_ended(const struct prefix_entry *entry, unsigned now)
{
	return entry->expires && (int)(entry->expires - now) <= 0;
}

/* All that have ended at one time go by one change of the list. */
size_t datapath_access_tick(struct datapath *datapath)
{
	const struct prefix_set *set = prefixes_find(&datapath->prefixes, SL_LIST_RUNTIME);
	size_t n = set ? set->n : 0, ended = 0, kept = 0;
	unsigned now = clock_second();
	struct prefix_entry *entries;

	for (size_t i = 0; i < n; i++)
		ended += has_ended(&set->entries[i], now);
	entries = ended ? calloc(n, sizeof(*entries)) : NULL;
	if (!entries)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!has_ended(&set->entries[i], now))
			entries[kept++] = set->entries[i];
	return set_runtime(datapath, entries, kept) ? 0 : ended;
}
