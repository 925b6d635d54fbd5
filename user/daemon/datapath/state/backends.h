/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The entries of backends, and those by which their replies are known (nat).
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATE_BACKENDS_H
#define SLUICE_DAEMON_DATAPATH_STATE_BACKENDS_H

#include <stdbool.h>

#include "lib/alloc/directory.h"

struct grace;
struct idpool;
struct installed;
struct installed_backend;
struct maps;
struct plan_backend;

struct backends {
	struct maps *maps;
	struct grace *grace;
	struct directory return_dir; /* a backend's key -> index into sl_returns */
	struct idpool *indices;      /* of sl_backends */
	struct idpool *returns;
};

/* maps and grace are borrowed. 0 or -ENOMEM; backends_done() frees, also after a failure. */
int backends_init(struct backends *backends, struct maps *maps, struct grace *grace);
void backends_done(struct backends *backends);

/* Whether the replies of such a backend come through here. */
bool backends_have_reply(const struct plan_backend *planned);

/* Writes entries for a planned backend, which no slot leads to yet and which does not serve
 * yet, and makes it the service's last one. 0, -ENOSPC or -ENOMEM.
 */
int backends_add(struct backends *backends, struct installed *installed,
		 const struct plan_backend *planned);

/* Makes the replies of a backend that is there already known, if they come through here and are
 * not: another service has had the backend meanwhile, or an earlier daemon was ended before it
 * made them known. 0 or -ENOSPC.
 */
int backends_keep_reply(struct backends *backends, const struct installed *installed,
			const struct plan_backend *planned, struct installed_backend *backend);

/* Says to the program whether it knows all flows of the service, so that a packet of its
 * backends to a client without one is no reply.
 */
void backends_know_flows(struct backends *backends, const struct installed *installed, bool know);

/* Retires the indices that a backend occupies; no slot leads to it any more. */
void backends_drop(struct backends *backends, const struct installed_backend *backend);

#endif
