/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What each route does. Called by api/routes.c alone, which has checked the
 * request's form: names are decoded, members are of their type and those required
 * are there.
 */
#ifndef SLUICE_DAEMON_API_HANDLERS_HANDLERS_H
#define SLUICE_DAEMON_API_HANDLERS_HANDLERS_H

#include "daemon/api/path.h"
#include "daemon/api/routes.h"

#define API_MEMBERS_MAX 5

struct api_ask {
	const struct api_call *call;
	struct balancer *balancer;
	const struct api_path *path;
	const json_t *members[API_MEMBERS_MAX]; /* in the order of the route's; NULL: not given */
};

struct api_answer api_get_status(const struct api_ask *ask);
struct api_answer api_get_services(const struct api_ask *ask);
struct api_answer api_get_service(const struct api_ask *ask);
struct api_answer api_get_backends(const struct api_ask *ask);
struct api_answer api_get_backend(const struct api_ask *ask);
struct api_answer api_get_stats(const struct api_ask *ask);
struct api_answer api_post_attach(const struct api_ask *ask);
struct api_answer api_post_detach(const struct api_ask *ask);
struct api_answer api_post_reload(const struct api_ask *ask);
struct api_answer api_post_check(const struct api_ask *ask);
struct api_answer api_get_config(const struct api_ask *ask);
struct api_answer api_post_save(const struct api_ask *ask);

/* api/handlers/backends.c */
struct api_answer api_post_backend(const struct api_ask *ask);
struct api_answer api_delete_backend(const struct api_ask *ask);
struct api_answer api_post_drain(const struct api_ask *ask);
struct api_answer api_post_enable(const struct api_ask *ask);
struct api_answer api_post_disable(const struct api_ask *ask);
struct api_answer api_post_weight(const struct api_ask *ask);

/* api/handlers/limits.c */
struct api_answer api_get_limits(const struct api_ask *ask);
struct api_answer api_get_service_limits(const struct api_ask *ask);
struct api_answer api_get_sources(const struct api_ask *ask);
struct api_answer api_get_source(const struct api_ask *ask);
struct api_answer api_delete_source(const struct api_ask *ask);
struct api_answer api_delete_source_of(const struct api_ask *ask);

/* api/handlers/denied.c */
struct api_answer api_get_denied(const struct api_ask *ask);
struct api_answer api_post_denied(const struct api_ask *ask);
struct api_answer api_delete_denied(const struct api_ask *ask);

#endif
