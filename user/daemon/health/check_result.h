/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The result of a health check, and how those who asked for it hear of a change.
 */
#ifndef SLUICE_DAEMON_HEALTH_CHECK_RESULT_H
#define SLUICE_DAEMON_HEALTH_CHECK_RESULT_H

#include <stdbool.h>

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

#endif
