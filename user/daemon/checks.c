// SPDX-License-Identifier: BSD-2-Clause
/*
 * The schedule of the probes and what comes of them. A *target* is what is
 * probed: one address and port in one way; a check is one asker's share of it.
 * A target has one timer, which runs out when the next probe is due or, while
 * one is under way, when its time is up: so no probe overlaps with itself.
 */
#include "daemon/checks.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdint.h>
#include <string.h>
#include <sys/param.h>
#include <uv.h>

#include "daemon/log.h"
#include "daemon/probe.h"
#include "lib/cleanup.h"
#include "lib/health.h"

#define CHECKS_START_SPREAD_MS 2 /* first probes: one such piece of time for each target */
#define CHECKS_FAST_MIN_MS     100
#define CHECKS_FAST_PER_MS     5  /* a start is no faster than so many probes per ms */
#define CHECKS_PER_TURN        64 /* probes started before the loop reads answers again */
#define CHECKS_WARN_MS         60000

struct checks {
	uv_loop_t *loop;
	void *targets;   /* tree (tsearch) of struct target, by spec */
	size_t n_probed; /* targets that are probed */
	uint64_t random;
	uint64_t warned_ms; /* when it was last said that probes cannot be made; 0: never */
	uint64_t turn_ms;   /* uv_now() of the last start, */
	unsigned in_turn;   /* and how many fell due at that time */
	void *shared[CHECK_HTTP + 1]; /* by enum check_type, once opened */
};

struct target {
	struct probe_spec spec; /* first: the tree compares targets by it */
	struct checks *checks;
	struct check *askers;
	struct check *next_told;       /* while the askers are told: who comes next */
	const struct probe_kind *kind; /* NULL: up, and not probed */
	struct probe *probe;
	uv_timer_t timer;
	bool extended;       /* the probe under way was given more time */
	uint64_t started_ns; /* the last probe */
	uint64_t started_ms;
	uint64_t deadline_ms; /* of the probe under way */
	struct health health;
	struct check_result result;
};

struct check {
	struct target *target;
	struct check *prev, *next;
	check_changed_fn *changed;
	void *arg;
};

static const struct probe_kind *const check_kinds[] = {
	[CHECK_NONE] = NULL,
	[CHECK_TCP] = &probe_tcp,
	[CHECK_HTTP] = &probe_http,
};

/* ---- time --------------------------------------------------------------- */

/* splitmix64: spreads probes, nothing depends on its being hard to guess. */
static uint64_t checks_random(struct checks *checks)
{
	uint64_t x = checks->random += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* From one start to the next. Until the first verdict it goes faster, so that a
 * start is short; with very many targets less so, or they would starve each
 * other of the CPU.
 */
static uint64_t target_interval_ms(const struct target *target)
{
	const struct check_config *config = &target->spec.config;
	struct checks *checks = target->checks;
	uint64_t interval = config->interval_ms, span;

	if (!target->health.settled) {
		uint64_t fast = MAX(interval / 4, CHECKS_FAST_MIN_MS);

		fast = MAX(fast, checks->n_probed / CHECKS_FAST_PER_MS);
		interval = MIN(interval, fast);
	}
	span = interval * config->jitter_percent / 100;
	return interval - span + checks_random(checks) % (2 * span + 1);
}

/* ---- the probe's round -------------------------------------------------- */

static void target_start_probe(uv_timer_t *timer);

/* In the next turn of the loop at the earliest, so that a probe that fails at
 * once cannot keep the loop from everything else.
 */
static void target_schedule(struct target *target)
{
	uint64_t due = target->started_ms + target_interval_ms(target);
	uint64_t now = uv_now(target->checks->loop);

	(void)uv_timer_start(&target->timer, target_start_probe, due > now ? due - now : 1, 0);
}

/* An asker may free any check, its own and the other askers' too, and make new
 * ones. The target stays in memory until libuv has closed its timer.
 */
static void target_tell(struct target *target)
{
	target->next_told = target->askers;
	while (target->next_told) {
		struct check *check = target->next_told;

		target->next_told = check->next;
		check->changed(check->arg);
	}
}

static void checks_warn(struct checks *checks, const char *text)
{
	uint64_t now = uv_now(checks->loop);

	if (checks->warned_ms && now - checks->warned_ms < CHECKS_WARN_MS)
		return;
	checks->warned_ms = now;
	log_warning("health checks fail for want of something on this machine; backends keep "
		    "their state: %s",
		    text);
}

static void target_conclude(void *arg, enum probe_outcome outcome, const char *text)
{
	struct target *target = arg;
	struct check_result *result = &target->result;
	bool changed = false;

	(void)snprintf(result->text, sizeof(result->text), "%s", text);
	if (outcome == PROBE_IMPOSSIBLE) {
		checks_warn(target->checks, text);
	} else {
		changed = health_step(&target->health, outcome == PROBE_OK);
		result->probed = true;
		result->up = target->health.up;
		result->last_ok = target->health.last_ok;
		result->run = target->health.run;
		result->duration_us = (unsigned)((uv_hrtime() - target->started_ns) / 1000);
	}
	if (changed)
		result->changed_ms = uv_now(target->checks->loop);
	target_schedule(target);
	if (changed)
		target_tell(target);
}

/* Time that this loop was held up is not the backend's: as much is added to its
 * limit, once. It is at least one turn of the loop, which reads the answers
 * that are already there.
 */
static void target_time_up(uv_timer_t *timer)
{
	struct target *target = timer->data;
	unsigned limit = target->spec.config.timeout_ms;
	uint64_t late = uv_now(target->checks->loop) - target->deadline_ms;
	char text[PROBE_TEXT_SIZE];

	if (!target->extended) {
		target->extended = true;
		late = MAX(MIN(late, limit), 1);
		(void)uv_timer_start(timer, target_time_up, late, 0);
		return;
	}
	probe_explain_limit(target->kind->missing(target->probe), limit, text);
	target->kind->cancel(target->probe);
	target_conclude(target, PROBE_FAILED, text);
}

/* 0, or how long to wait because too many are due at once: after a hold-up of
 * the loop that can be all of them.
 */
static uint64_t checks_queue(struct checks *checks)
{
	if (checks->turn_ms != uv_now(checks->loop)) {
		checks->turn_ms = uv_now(checks->loop);
		checks->in_turn = 0;
	}
	return checks->in_turn++ / CHECKS_PER_TURN;
}

static void target_start_probe(uv_timer_t *timer)
{
	struct target *target = timer->data;
	uv_loop_t *loop = target->checks->loop;
	uint64_t wait = checks_queue(target->checks);
	uint64_t limit = target->spec.config.timeout_ms;
	uint64_t now;
	int r;

	if (wait > 0) {
		(void)uv_timer_start(timer, target_start_probe, wait, 0);
		return;
	}
	target->started_ns = uv_hrtime();
	target->started_ms = uv_now(loop);
	target->extended = false;
	r = target->kind->start(target->probe, target_conclude, target);
	if (r < 0) {
		char text[PROBE_TEXT_SIZE];
		enum probe_outcome outcome = probe_explain(-r, text);

		target_conclude(target, outcome, text);
		return;
	}
	/* The loop's idea of now is older than this probe: by as much as this
	 * turn has taken. Bringing it up to date instead could make ever more
	 * timers due within the turn.
	 */
	now = target->started_ns / 1000000;
	if (now > target->started_ms)
		limit += now - target->started_ms;
	target->deadline_ms = target->started_ms + limit;
	(void)uv_timer_start(timer, target_time_up, limit, 0);
}

/* ---- targets: made by the first asker, gone with the last --------------- */

static void target_destroy(struct target *target)
{
	if (target->probe)
		target->kind->free(target->probe);
	free(target->spec.config.path);
	free(target->spec.config.host);
	free(target);
}

static void target_destroyp(struct target **target)
{
	if (*target)
		target_destroy(*target);
}

static void target_closed(uv_handle_t *handle)
{
	target_destroy(handle->data);
}

/* The probe goes at once, the rest when libuv has let go of the timer. */
static void target_free(struct target *target)
{
	(void)tdelete(target, &target->checks->targets, probe_spec_compare);
	if (target->kind) {
		target->checks->n_probed--;
		target->kind->free(TAKE_PTR(target->probe));
	}
	uv_close((uv_handle_t *)&target->timer, target_closed);
}

static int target_make_probe(struct target *target)
{
	struct checks *checks = target->checks;
	enum check_type type = target->spec.config.type;
	int r;

	if (!checks->shared[type]) {
		r = target->kind->open(checks->loop, &checks->shared[type]);
		if (r < 0)
			return r;
	}
	return target->kind->make(checks->shared[type], &target->spec, &target->probe);
}

static void target_begin(struct target *target, bool up)
{
	struct checks *checks = target->checks;
	const struct check_config *config = &target->spec.config;
	uint64_t spread;

	(void)uv_timer_init(checks->loop, &target->timer);
	target->timer.data = target;
	target->health = (struct health){
		.rise = config->rise,
		.fall = config->fall,
		.up = up || !target->kind,
	};
	target->result.up = target->health.up;
	target->result.changed_ms = uv_now(checks->loop);
	(void)snprintf(target->result.text, sizeof(target->result.text), "%s",
		       target->kind ? "not checked yet" : "not checked");
	if (!target->kind)
		return;
	checks->n_probed++;
	spread = MIN(config->interval_ms, checks->n_probed * CHECKS_START_SPREAD_MS);
	(void)uv_timer_start(&target->timer, target_start_probe,
			     checks_random(checks) % (spread + 1), 0);
}

static int target_new(struct checks *checks, const struct probe_spec *spec, bool up,
		      struct target **ret_target)
{
	_cleanup_(target_destroyp) struct target *target = calloc(1, sizeof(*target));
	const char *path = spec->config.path, *host = spec->config.host;
	int r;

	if (!target)
		return -ENOMEM;
	target->checks = checks;
	target->kind = check_kinds[spec->config.type];
	target->spec = *spec;
	target->spec.config.path = path ? strdup(path) : NULL;
	target->spec.config.host = host ? strdup(host) : NULL;
	if ((path && !target->spec.config.path) || (host && !target->spec.config.host))
		return -ENOMEM;
	r = target->kind ? target_make_probe(target) : 0;
	if (r < 0)
		return r;
	if (!tsearch(target, &checks->targets, probe_spec_compare))
		return -ENOMEM;
	target_begin(target, up);
	*ret_target = TAKE_PTR(target);
	return 0;
}

int checks_new(struct uv_loop_s *loop, struct checks **ret_checks)
{
	struct checks *checks = calloc(1, sizeof(*checks));

	if (!checks)
		return -ENOMEM;
	checks->loop = loop;
	if (uv_random(NULL, NULL, &checks->random, sizeof(checks->random), 0, NULL) < 0)
		checks->random = uv_hrtime();
	*ret_checks = checks;
	return 0;
}

void checks_free(struct checks *checks)
{
	if (!checks)
		return;
	assert(!checks->targets);
	for (size_t i = 0; i <= CHECK_HTTP; i++)
		if (check_kinds[i])
			check_kinds[i]->close(checks->shared[i]);
	free(checks);
}

int check_new(struct checks *checks, const struct check_config *config, const struct ip *ip,
	      __be16 port, bool up, check_changed_fn *changed, void *arg, struct check **ret_check)
{
	_cleanup_(cleanup_free) struct check *check = calloc(1, sizeof(*check));
	struct probe_spec spec;
	struct target **found;
	int r;

	if (!check)
		return -ENOMEM;
	r = probe_spec_fill(config, ip, port, &spec);
	if (r < 0)
		return r;
	found = tfind(&spec, &checks->targets, probe_spec_compare);
	if (found)
		check->target = *found;
	else
		r = target_new(checks, &spec, up, &check->target);
	if (r < 0)
		return r;
	check->changed = changed;
	check->arg = arg;
	/* In front: who joins while others are told is not told. */
	check->next = check->target->askers;
	if (check->next)
		check->next->prev = check;
	check->target->askers = check;
	*ret_check = TAKE_PTR(check);
	return 0;
}

void check_free(struct check *check)
{
	struct target *target;

	if (!check)
		return;
	target = check->target;
	if (target->next_told == check)
		target->next_told = check->next;
	if (check->next)
		check->next->prev = check->prev;
	if (check->prev)
		check->prev->next = check->next;
	else
		target->askers = check->next;
	free(check);
	if (!target->askers)
		target_free(target);
}

const struct check_result *check_get(const struct check *check)
{
	return &check->target->result;
}
