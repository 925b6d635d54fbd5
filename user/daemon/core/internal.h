/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What server*.c share; nobody else includes it.
 */
#ifndef SLUICE_DAEMON_CORE_INTERNAL_H
#define SLUICE_DAEMON_CORE_INTERNAL_H

#include "daemon/core/server.h"
#include "daemon/datapath/datapath.h"

/* core/interfaces.c */

/* Claims every interface of what runs, before anything of it is touched. */
int server_claim_all(struct server *server, struct diag *diag);

/* Attaches to all interfaces of config that are not attached yet. */
int server_attach_all(struct server *server, const struct config *config, struct diag *diag);

/* Detaches from what is not in config; NULL: from all. */
void server_detach_others(struct server *server, const struct config *config);

/* core/reload.c */

/* What the maps must hold at the least. */
struct datapath_sizes server_needed_sizes(const struct config *config);

/* What holds for all services and can always be changed. */
void server_set_all(struct server *server);

/* Takes over what one of the interfaces runs already, or loads afresh. */
int server_open_datapath(struct server *server, struct diag *diag);

/* core/limiter.c */

/* What all services share of limits and access. 0, or -errno and diag, and nothing
 * has changed.
 */
int server_apply_limiter(struct server *server, const struct config *config, struct diag *diag);

/* Starts or ends the responder, as config asks for it; without one, limits drop. */
void server_apply_responder(struct server *server, const struct config *config);

/* Listens to what the program tells of limits. */
int server_follow_limits(struct server *server, struct diag *diag);
void server_unfollow_limits(struct server *server);

#endif
