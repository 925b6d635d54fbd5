// SPDX-License-Identifier: BSD-2-Clause
/* Who may use which service: the configuration's prefixes, as lists of the trie. A
 * service's list lives as long as an entry of the service names it.
 */
#include "daemon/datapath/access.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/prefixes.h"
#include "lib/base/array.h"
#include "lib/base/diag.h"

struct access_state {
	struct idpool *lists; /* of services: list SL_LIST_SERVICE + id */
	unsigned *list_users; /* by id: entries that name it */
	unsigned unnamed;     /* a list that nobody has named yet; 0: none */
};

/* Every service may have one, and a changed one is put where the old one was. */
static unsigned capacity(const struct datapath *datapath)
{
	return datapath->maps.map[MAP_SERVICE_STAT].entries + 2;
}

int access_init(struct datapath *datapath)
{
	struct access_state *state = calloc(1, sizeof(*state));

	datapath->access = state;
	if (!state || idpool_new(capacity(datapath), &state->lists))
		return -ENOMEM;
	grace_watch_pool(datapath, state->lists);
	state->list_users = calloc(capacity(datapath), sizeof(*state->list_users));
	return state->list_users ? 0 : -ENOMEM;
}

void access_free(struct datapath *datapath)
{
	struct access_state *state = datapath->access;

	prefixes_free(datapath);
	if (!state)
		return;
	idpool_free(state->lists);
	free(state->list_users);
	free(state);
}

/* ---- from the configuration ---------------------------------------------------- */

static void append(struct prefix_entry *entries, size_t *n, const struct prefix_list *list,
		   bool deny)
{
	for (size_t i = 0; i < list->n; i++)
		entries[(*n)++] =
			(struct prefix_entry){ .prefix = list->prefixes[i], .deny = deny };
}

/* Where some are allowed, all others are denied, unless they are named. */
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

		for (size_t j = 0; !found && j < named; j++)
			found = !prefix_compare(&entries[j].prefix, &all[i]);
		if (!found)
			entries[(*n)++] = others;
	}
}

static int put_list(struct datapath *datapath, unsigned list, const struct access_config *access)
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
	return prefixes_change(datapath, list, entries, n);
}

static bool is_empty(const struct access_config *access)
{
	return !access->allow.n && !access->deny.n;
}

static int no_room(struct diag *diag, int error)
{
	return diag_set(diag, -error, "the maps have no room for its allow and deny lists: %s",
			strerror(-error));
}

static unsigned running_list(const struct datapath *datapath, const struct sl_key *keys,
			     size_t n_keys)
{
	for (size_t i = 0; i < n_keys; i++) {
		const struct installed *installed = installed_find(datapath, &keys[i]);

		if (installed && installed->entry &&
		    datapath->maps.services[installed->entry].access)
			return datapath->maps.services[installed->entry].access;
	}
	return 0;
}

static void drop_list(struct datapath *datapath, unsigned list)
{
	prefixes_clear(datapath, list);
	idpool_retire(datapath->access->lists, list - SL_LIST_SERVICE);
}

int datapath_put_access(struct datapath *datapath, const struct access_config *access,
			const struct sl_key *keys, size_t n_keys, struct diag *diag,
			unsigned *ret_list)
{
	struct access_state *state = datapath->access;
	unsigned list = running_list(datapath, keys, n_keys), id;
	int error;

	/* Of a change that failed before anybody named it. */
	if (state->unnamed)
		drop_list(datapath, state->unnamed);
	state->unnamed = 0;
	*ret_list = 0;
	if (is_empty(access))
		return 0;
	if (!list) {
		id = take_index(datapath, state->lists);
		if (!id)
			return no_room(diag, -ENOSPC);
		list = state->unnamed = SL_LIST_SERVICE + id;
	}
	error = put_list(datapath, list, access);
	if (error)
		return no_room(diag, error);
	*ret_list = list;
	return 0;
}

int datapath_put_access_all(struct datapath *datapath, const struct access_config *access,
			    struct diag *diag)
{
	int error;

	if (is_empty(access)) {
		prefixes_use(datapath, SL_TUNING_ALL, false);
		prefixes_clear(datapath, SL_LIST_ALL);
		return 0;
	}
	error = put_list(datapath, SL_LIST_ALL, access);
	if (error)
		return no_room(diag, error);
	prefixes_use(datapath, SL_TUNING_ALL, true);
	return 0;
}

int access_put_exempt(struct datapath *datapath, unsigned number, const struct prefix_list *list)
{
	const struct access_config exempt = { .deny = *list };

	if (!list->n) {
		prefixes_clear(datapath, SL_LIST_EXEMPT | number);
		return 0;
	}
	return put_list(datapath, SL_LIST_EXEMPT | number, &exempt);
}

/* ---- who names a list ----------------------------------------------------------- */

void access_use(struct datapath *datapath, const struct sl_service *entry)
{
	struct access_state *state = datapath->access;

	if (!entry->access)
		return;
	state->list_users[entry->access - SL_LIST_SERVICE]++;
	if (state->unnamed == entry->access)
		state->unnamed = 0;
}

void access_release(struct datapath *datapath, const struct sl_service *entry)
{
	if (entry->access && !--datapath->access->list_users[entry->access - SL_LIST_SERVICE])
		drop_list(datapath, entry->access);
}

int access_learn(struct datapath *datapath, const struct sl_service *entry)
{
	struct access_state *state = datapath->access;
	unsigned id = entry->access - SL_LIST_SERVICE;

	if (!entry->access)
		return 0;
	if (!id || id >= capacity(datapath))
		return -EPROTO;
	if (!state->list_users[id]++ && idpool_claim(state->lists, id))
		return -EPROTO;
	return 0;
}
