/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The entries of services and their tables: which are free, and which the directory leads
 * to. A table of slots belongs to one entry, or to successive ones of a service. An entry
 * may name others (sl_service.replaced), whose tables the service's own has replaced while
 * older connections may still go by them.
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATE_TABLES_H
#define SLUICE_DAEMON_DATAPATH_STATE_TABLES_H

#include "lib/alloc/directory.h"

struct extents;
struct grace;
struct idpool;
struct maps;

struct tables {
	struct maps *maps;
	struct grace *grace;
	struct directory directory; /* a service's key -> entry */
	struct idpool *entries;     /* of sl_services */
	struct extents *slots;
};

/* maps and grace are borrowed. 0 or -ENOMEM; tables_done() frees, also after a failure. */
int tables_init(struct tables *tables, struct maps *maps, struct grace *grace);
void tables_done(struct tables *tables);

/* Takes slots for a table; waits for readers where only retired ones are left. 0, -ENOSPC
 * or -ENOMEM.
 */
int tables_take_slots(struct tables *tables, unsigned length, unsigned *ret_start);

/* While adopting maps: marks an entry and its table as used. 0; -EPROTO: one of them does not
 * exist, or is in use already, and the entry is not to be led to.
 */
int tables_claim(struct tables *tables, unsigned entry);

/* Retires an entry together with its table. */
void tables_retire(struct tables *tables, unsigned entry);

/* Retires a replaced entry, and those that it has replaced, with their tables; 0: none. */
void tables_retire_replaced(struct tables *tables, unsigned entry);

/* Takes backends that do not serve out of the table of a replaced entry, and of those that
 * it has replaced: they have no connections left to protect, and their indices may become
 * other backends'. 0: none.
 */
void tables_purge_replaced(struct tables *tables, unsigned entry);

#endif
