/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One datapath_learn(), for the files that learn from one kind of map each. A predecessor may
 * have been killed between any two of its stores, so each of them removes from its maps what
 * leads nowhere. It returns 0, or an -errno for which the maps cannot be adopted.
 */
#ifndef SLUICE_DAEMON_DATAPATH_LEARNING_H
#define SLUICE_DAEMON_DATAPATH_LEARNING_H

#include <stddef.h>

struct datapath;
struct installed;

/* The service that a backend belongs to, and its place in installed->backends. */
struct learning_owner {
	struct installed *installed; /* NULL: none is known */
	size_t place;
};

struct learning {
	struct datapath *datapath;
	struct learning_owner *owner; /* by index of sl_backends */
	unsigned n_removed;           /* entries that led nowhere */
};

/* Notes that the backend with this index belongs to the service. 0; 1: there is no such index,
 * or it is another service's; or -ENOMEM.
 */
int learning_backend(struct learning *learning, struct installed *installed, unsigned index);

/* The services, with their tables, backends, limits and lists. */
int learn_services(struct learning *learning);

/* The flows and the pinned clients. Flows outlive slots: of a backend that drains, they may be
 * all that leads to it. Flows that lead to no known backend are removed, before another backend
 * is given that index.
 */
int learn_flows(struct learning *learning);

#endif
