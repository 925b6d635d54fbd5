/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A change at run time as a value, and the configuration that comes of it:
 * whole, and by the same rules as a file.
 */
#ifndef SLUICE_LIB_CONFIG_EDIT_H
#define SLUICE_LIB_CONFIG_EDIT_H

#include "lib/config/config.h"

/* A backend to add may have the name address:port, written out. */
struct config_change {
	enum {
		CHANGE_ADD, /* a backend that is not there yet */
		CHANGE_REMOVE,
		CHANGE_WEIGHT,
		CHANGE_ADMIN_STATE,
	} kind;
	char service[CONFIG_NAME_MAX + 1];
	char backend[CONFIG_NAME_MAX + 1]; /* its name; "": address:port */
	struct ip ip;                      /* to add */
	__be16 port;                       /* to add; 0: the service's */
	unsigned weight;                   /* of one to add, or its new one */
	bool backup;                       /* to add */
	enum admin_state admin_state;      /* of one to add, or its new one */
};

/* *ret_config is `from` with the change made; `from` stays as it is. The new
 * backend stands behind the others; a table that had the default size keeps to the
 * default one. -EINVAL, -ENOENT (no such service or backend) or -EEXIST (a
 * backend of that name): diag tells why in words that begin with the service's name,
 * without a place, and *ret_config is left alone. Also -ENOMEM.
 */
int config_apply_change(const struct config *from, const struct config_change *change,
			struct diag *diag, struct config **ret_config);

#endif
