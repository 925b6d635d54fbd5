/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sl_peers: the backends of services that share their pins, by address. For this room alone.
 */
#ifndef SLUICE_DAEMON_DATAPATH_PEERS_H
#define SLUICE_DAEMON_DATAPATH_PEERS_H

struct datapath;
struct installed_backend;
struct plan;

/* Tells the program of the backends of a plan, if its service is in a group. indices: theirs
 * in sl_backends. 0 or -errno.
 */
int peers_put(const struct datapath *datapath, unsigned service, const struct plan *plan,
	      const unsigned *indices);

/* Before the index of a backend may be given to another. */
void peers_drop(const struct datapath *datapath, unsigned service,
		const struct installed_backend *backend);

#endif
