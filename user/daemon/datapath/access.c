// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/access.h"

#include <errno.h>
#include <string.h>

#include "daemon/datapath/internal.h"
#include "lib/base/diag.h"
#include "lib/config/config.h"

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
		const struct installed *installed = installed_find(&datapath->installed, &keys[i]);

		if (installed && installed->entry &&
		    datapath->maps.services[installed->entry].access)
			return datapath->maps.services[installed->entry].access;
	}
	return 0;
}

int datapath_put_access(struct datapath *datapath, const struct access_config *access,
			const struct sl_key *keys, size_t n_keys, struct diag *diag,
			unsigned *ret_list)
{
	unsigned list = running_list(datapath, keys, n_keys);
	int error;

	lists_drop_unnamed(&datapath->lists);
	*ret_list = 0;
	if (is_empty(access))
		return 0;
	if (!list)
		list = lists_take(&datapath->lists);
	if (!list)
		return no_room(diag, -ENOSPC);
	error = lists_write(&datapath->lists, list, access);
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
		prefixes_use(&datapath->prefixes, SL_TUNING_ALL, false);
		prefixes_clear(&datapath->prefixes, SL_LIST_ALL);
		return 0;
	}
	error = lists_write(&datapath->lists, SL_LIST_ALL, access);
	if (error)
		return no_room(diag, error);
	prefixes_use(&datapath->prefixes, SL_TUNING_ALL, true);
	return 0;
}
