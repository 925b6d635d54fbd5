/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Health checks: runs them on the loop and tells when a backend goes up or
 * down. Equal checks of one address and port are run once, whoever asks. The
 * rise and fall rule is health.h's; how one probe is done, health/probe.h's.
 */
#ifndef SLUICE_DAEMON_HEALTH_CHECKS_H
#define SLUICE_DAEMON_HEALTH_CHECKS_H

#include <stdbool.h>

#include "lib/config/config.h"

struct uv_loop_s;
struct checks;
struct check;

struct check_result {
	bool up;
	bool probed;  /* false: no probe has ended yet */
	bool last_ok; /* of the last probe */
	/* It was answered, though not as it should be, and since then no `fall` probes
	 * in a row had no answer at all.
	 */
	bool answers;
	unsigned run;                  /* probes in a row that ended as the last one did */
	unsigned duration_us;          /* of the last probe */
	unsigned long long changed_ms; /* uv_now() of the last change of `up`, or of the start */
	char text[160]; /* of the last probe, for people: "HTTP 503, wanted 200-299" */
};

/* Called from the loop after `up` has changed, or `answers` of a backend that is down; never from within a
 * call of this module. check_get() has the new state.
 */
typedef void check_changed_fn(void *arg);

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
