/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes packets find a service's entry, and takes it away again. The one place that tells
 * limits and lists which entries name them.
 */
#ifndef SLUICE_DAEMON_DATAPATH_PUBLISH_H
#define SLUICE_DAEMON_DATAPATH_PUBLISH_H

struct datapath;
struct installed;
struct sl_service;

/* The service's published entry; entry 0, which is empty, before that. */
const struct sl_service *publish_entry_of(const struct datapath *datapath,
					  const struct installed *installed);

/* Publishes the service anew, changed as `entry` says; the old entry is retired, unless
 * entry->replaced names it. 0 or -ENOSPC.
 */
int publish_entry(struct datapath *datapath, struct installed *installed,
		  const struct sl_service *entry);

/* Unpublishes the service, retires all indices that it occupies, and frees it. */
void publish_removal(struct datapath *datapath, struct installed *installed);

#endif
