/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Health checks: runs them on the loop and tells when a backend goes up or
 * down. Equal checks of one address and port are run once for all services. The
 * rise and fall rule is health.h's; how one probe is done, health/probe.h's.
 */
#ifndef SLUICE_DAEMON_HEALTH_CHECKS_H
#define SLUICE_DAEMON_HEALTH_CHECKS_H

#include <stdbool.h>

#include "daemon/health/check_result.h"
#include "lib/config/config.h"

struct uv_loop_s;
struct checks;
struct check;

int checks_new(struct uv_loop_s *loop, struct checks **ret_checks);

/* Every check must have been freed; run the loop until it is empty afterwards.
 * Accepts NULL.
 */
void checks_free(struct checks *checks);

/* What is to be checked, and who hears of it. Everything is copied. */
struct check_request {
	const struct check_config *config; /* CHECK_NONE probes nothing: up from the start */
	struct ip ip;
	__be16 port; /* of the backend; config->port overrides it */
	bool up;     /* the state to begin with: what a predecessor had found */
	check_changed_fn *changed;
	void *arg;
};

/* Starts checking. If an equal check already runs, joins it and takes its state.
 * 0 or -errno.
 */
int check_new(struct checks *checks, const struct check_request *request, struct check **ret_check);
void check_free(struct check *check);

/* Valid until the loop runs again. */
const struct check_result *check_get(const struct check *check);

#endif
