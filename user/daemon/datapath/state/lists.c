// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/state/lists.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath/program/maps.h"
#include "daemon/datapath/state/grace.h"
#include "daemon/datapath/state/prefixes.h"
#include "lib/alloc/idpool.h"
#include "lib/base/array.h"
#include "lib/base/yield.h"
#include "lib/config/config.h"

int lists_init(struct lists *lists, const struct maps *maps, struct prefixes *prefixes,
	       struct grace *grace)
{
	lists->prefixes = prefixes;
	lists->grace = grace;
	/* Each service may have one; a changed one is written in its place. */
	lists->n_ids = maps->map[MAP_SERVICE_STAT].entries + 2;
	lists->users = calloc(lists->n_ids, sizeof(*lists->users));
	if (!lists->users || idpool_new(lists->n_ids, &lists->ids))
		return -ENOMEM;
	grace_watch_pool(grace, lists->ids);
	return 0;
}

void lists_done(struct lists *lists)
{
	idpool_free(lists->ids);
	free(lists->users);
}

/* ---- prefixes ------------------------------------------------------------------ */

static void append(struct prefix_entry *entries, size_t *n, const struct prefix_list *list,
		   bool deny)
{
	for (size_t i = 0; i < list->n; i++) {
		entries[(*n)++] =
			(struct prefix_entry){ .prefix = list->prefixes[i], .deny = deny };
		yield_point();
	}
}

/* Denies all other addresses, unless one of the entries is for all of a family. */
static void append_others(struct prefix_entry *entries, size_t *n)
{
	static const struct prefix all[] = {
		{ .ip = { .family = SL_FAMILY_IPV4, .addr.bytes = { [10] = 0xff, [11] = 0xff } } },
		{ .ip = { .family = SL_FAMILY_IPV6 } },
	};
	size_t named = *n;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		bool found = false;
		struct prefix_entry others = { .prefix = all[i], .deny = true };

		for (size_t j = 0; !found && j < named; j++) {
			found = !prefix_compare(&entries[j].prefix, &all[i]);
			yield_point();
		}
		if (!found)
			entries[(*n)++] = others;
	}
}

int lists_write(struct lists *lists, unsigned list, const struct access_config *access)
{
	struct prefix_entry *entries =
		calloc(access->allow.n + access->deny.n + 2, sizeof(*entries));
	size_t n = 0;

	if (!entries)
		return -ENOMEM;
	append(entries, &n, &access->allow, false);
	append(entries, &n, &access->deny, true);
	if (access->allow.n)
		append_others(entries, &n);
	return prefixes_change(lists->prefixes, list, entries, n);
}

int lists_write_exempt(struct lists *lists, unsigned number, const struct prefix_list *exempt)
{
	const struct access_config access = { .deny = *exempt };

	if (!exempt->n) {
		prefixes_clear(lists->prefixes, SL_LIST_EXEMPT | number);
		return 0;
	}
	return lists_write(lists, SL_LIST_EXEMPT | number, &access);
}

/* ---- which entries name a list --------------------------------------------------- */

static void drop(struct lists *lists, unsigned list)
{
	prefixes_clear(lists->prefixes, list);
	idpool_retire(lists->ids, list - SL_LIST_SERVICE);
}

unsigned lists_take(struct lists *lists)
{
	unsigned id = grace_take(lists->grace, lists->ids);

	if (!id)
		return 0;
	lists->unnamed = SL_LIST_SERVICE + id;
	return lists->unnamed;
}

void lists_drop_unnamed(struct lists *lists)
{
	if (lists->unnamed)
		drop(lists, lists->unnamed);
	lists->unnamed = 0;
}

void lists_use(struct lists *lists, const struct sl_service *entry)
{
	if (!entry->access)
		return;
	lists->users[entry->access - SL_LIST_SERVICE]++;
	if (lists->unnamed == entry->access)
		lists->unnamed = 0;
}

void lists_release(struct lists *lists, const struct sl_service *entry)
{
	if (entry->access && !--lists->users[entry->access - SL_LIST_SERVICE])
		drop(lists, entry->access);
}

int lists_learn(struct lists *lists, const struct sl_service *entry)
{
	unsigned id = entry->access - SL_LIST_SERVICE;

	if (!entry->access)
		return 0;
	if (!id || id >= lists->n_ids)
		return -EPROTO;
	if (!lists->users[id]++)
		(void)idpool_claim(lists->ids, id);
	return 0;
}

bool lists_are_named(const struct lists *lists, unsigned list)
{
	return list >= SL_LIST_SERVICE && list - SL_LIST_SERVICE < lists->n_ids &&
	       lists->users[list - SL_LIST_SERVICE];
}
