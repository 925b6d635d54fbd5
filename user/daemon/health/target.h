/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inside of health/checks.h, shared by health/checks.c (who asks for what) and health/target.c
 * (when is what probed). A *target* is what is probed: one address and port in
 * one way; a check is one asker's share of it.
 */
#ifndef SLUICE_DAEMON_HEALTH_TARGET_H
#define SLUICE_DAEMON_HEALTH_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "daemon/health/check_result.h"
#include "daemon/health/probe.h"
#include "lib/health.h"

TAILQ_HEAD(target_queue, target);

struct checks {
	uv_loop_t *loop;
	void *targets;               /* tree (tsearch) of struct target, by spec */
	size_t n_probed;             /* targets that are probed */
	struct target_queue due;     /* those whose probe is to start now, in order */
	uv_timer_t starter;          /* starts them */
	struct target_queue telling; /* those whose askers are being told, in order */
	uv_timer_t teller;           /* goes on with them */
	unsigned n_open;             /* timers that the loop holds */
	uint64_t random;
	uint64_t warned_ms; /* when it was last said that probes cannot be made; 0: never */
	void *shared[CHECK_TYPE_COUNT]; /* by enum check_type, once opened */
};

struct target {
	struct probe_spec spec; /* first: the tree compares targets by it */
	struct checks *checks;
	struct check *askers;
	struct check *next_to_tell;    /* while the askers are told: who comes next */
	const struct probe_kind *kind; /* NULL: up, and not probed */
	struct probe *probe;
	uv_timer_t timer; /* until the next probe; while one is under way, until its time is up */
	bool is_due;      /* in checks->due */
	TAILQ_ENTRY(target) due;
	bool is_telling; /* in checks->telling */
	TAILQ_ENTRY(target) telling;
	bool extended;       /* the probe under way was given more time */
	uint64_t started_ns; /* the last probe */
	uint64_t started_ms;
	uint64_t deadline_ms; /* of the probe under way */
	struct health health;
	unsigned unanswered; /* probes in a row */
	struct check_result result;
};

struct check {
	struct target *target;
	struct check *prev, *next;
	check_changed_fn *changed;
	void *arg;
};

/* Begins the rounds of a target whose spec, checks, kind and probe are set. */
void target_begin(struct target *target, bool up);

/* Ends them; frees the probe. The timer is still to be closed. */
void target_end(struct target *target);

/* The callbacks of checks->starter and checks->teller. */
void targets_start(uv_timer_t *starter);
void targets_tell(uv_timer_t *teller);

/* From the start of one probe to that of the next, jitter included. */
uint64_t target_interval_ms(const struct target *target);

#endif
