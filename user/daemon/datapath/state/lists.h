/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of prefixes (SL_LIST_*) that follow the configuration: those that a service's entries
 * name, and the exempt ones of limits. A service's list lives as long as an entry names it.
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATE_LISTS_H
#define SLUICE_DAEMON_DATAPATH_STATE_LISTS_H

#include <stdbool.h>

struct access_config;
struct grace;
struct idpool;
struct maps;
struct prefix_list;
struct prefixes;
struct sl_service;

struct lists {
	struct prefixes *prefixes;
	struct grace *grace;
	struct idpool *ids; /* of services: list SL_LIST_SERVICE + id */
	unsigned n_ids;
	unsigned *users;  /* by id: entries that name it */
	unsigned unnamed; /* a list that no entry has named yet; 0: none */
};

/* prefixes and grace are borrowed. 0 or -ENOMEM; lists_done() frees, also after a failure. */
int lists_init(struct lists *lists, const struct maps *maps, struct prefixes *prefixes,
	       struct grace *grace);
void lists_done(struct lists *lists);

/* Makes a list hold the allowed and the denied prefixes; where some are allowed, all others
 * are denied. 0, -ENOSPC or -ENOMEM, and the list is as it was.
 */
int lists_write(struct lists *lists, unsigned list, const struct access_config *access);

/* Makes the exempt list of a limit, by its number, hold these prefixes. As lists_write(). */
int lists_write_exempt(struct lists *lists, unsigned number, const struct prefix_list *exempt);

/* A new list for a service, which an entry is to name. 0: none is left. */
unsigned lists_take(struct lists *lists);

/* Retires the list that was taken for a change that failed. */
void lists_drop_unnamed(struct lists *lists);

/* An entry of a service begins, or ends, to lead to a list. */
void lists_use(struct lists *lists, const struct sl_service *entry);
void lists_release(struct lists *lists, const struct sl_service *entry);

/* While adopting maps: marks the list that this entry names as used. 0; -EPROTO: there is no
 * such list.
 */
int lists_learn(struct lists *lists, const struct sl_service *entry);

/* Whether an entry names this list. */
bool lists_are_named(const struct lists *lists, unsigned list);

#endif
