/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How one probe is done, for each kind of check. A probe has no memory of
 * earlier ones and knows neither intervals nor rise and fall; the time limit,
 * too, is kept by its caller (health/checks.c), which cancels it.
 */
#ifndef SLUICE_DAEMON_HEALTH_PROBE_H
#define SLUICE_DAEMON_HEALTH_PROBE_H

#include <stddef.h>

#include "lib/config/config.h"

#define PROBE_TEXT_SIZE 160 /* as check_result.text */

struct uv_loop_s;

/* What is probed; everything that two checks must have in common to be one. */
struct probe_spec {
	struct check_config config; /* port is not used */
	struct ip ip;
	__be16 port; /* the effective one */
};

enum probe_outcome {
	PROBE_OK,
	PROBE_NOT_READY,  /* it answers, but not as it should */
	PROBE_FAILED,     /* it does not answer */
	PROBE_IMPOSSIBLE, /* this machine lacked something: tells nothing about the backend */
};

/* Called from the loop once for each probe that was started and not cancelled,
 * never from within a call to this module. The probe may be started again or
 * freed in it. text is valid during the call, and holds nothing that the
 * backend wrote.
 */
typedef void probe_done_fn(void *arg, enum probe_outcome outcome, const char *text);

/* The head of each kind's own struct. */
struct probe {
	probe_done_fn *done;
	void *arg;
};

struct probe_kind {
	/* What all probes of a kind share; close() accepts NULL and wants every
	 * probe freed before. What the loop still holds goes when the loop runs.
	 */
	int (*open)(struct uv_loop_s *loop, void **ret_shared);
	void (*close)(void *shared);

	/* spec must outlive the probe. */
	int (*make)(void *shared, const struct probe_spec *spec, struct probe **ret_probe);
	/* Accepts NULL, and one that is under way. */
	void (*free)(struct probe *probe);

	/* Only when none is under way. -errno: done will not be called. */
	int (*start)(struct probe *probe, probe_done_fn *done, void *arg);
	/* Only when one is under way: done will not be called. */
	void (*cancel)(struct probe *probe);
	/* What a probe under way waits for, to say "... within 1s". Valid until
	 * the probe is touched.
	 */
	const char *(*missing)(struct probe *probe);
};

/* probe_tcp, probe_http, ...: one for each type of check that probes. */
#define PROBE_DECLARE(name, word, speaks_http) extern const struct probe_kind probe_##word;
CHECK_PROBED_TYPES(PROBE_DECLARE)
#undef PROBE_DECLARE

/* Takes over from config only what matters to its kind of check, so that nothing
 * else tells two checks apart; path and host stay config's. -EINVAL: against
 * the bounds of config/config.h.
 */
int probe_spec_fill(const struct check_config *config, const struct ip *ip, __be16 port,
		    struct probe_spec *ret_spec);

/* An order (of struct probe_spec), for tsearch(). */
int probe_spec_compare(const void *left, const void *right);

/* What errno (positive) of a failed connect means: fills text, in words like
 * "connection refused".
 */
enum probe_outcome probe_explain(int error, char ret_text[static PROBE_TEXT_SIZE]);

/* "no answer within 1s". */
void probe_explain_limit(const char *missing, unsigned limit_ms,
			 char ret_text[static PROBE_TEXT_SIZE]);

#endif
