// SPDX-License-Identifier: BSD-2-Clause
/* The rounds of a target: wait, probe, draw the conclusion, tell the askers. It
 * has one timer for the wait and for the limit of the probe's time, so that a
 * probe never overlaps with itself.
 */
#include "daemon/health/target.h"

#include <sys/param.h>

#include "daemon/log.h"
#include "lib/base/cleanup.h"

#define TARGET_START_SPREAD_MS 2 /* first probes: one such piece of time for each target */
#define TARGET_FAST_MIN_MS     100
#define TARGET_FAST_PER_MS     5  /* probes per ms, at most, at a start */
#define TARGET_STARTS_PER_TURN 64 /* then the loop reads answers again */
#define TARGET_WARN_MS         60000
#define TARGET_TELL_NS         5000000 /* a turn of the loop tells askers for so long */
#define TARGET_TELL_CHECK      16      /* askers that are told between two looks at the clock */

/* splitmix64: spreads probes, nothing depends on its being hard to guess. */
static uint64_t target_random(struct checks *checks)
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
uint64_t target_interval_ms(const struct target *target)
{
	const struct check_config *config = &target->spec.config;
	struct checks *checks = target->checks;
	uint64_t interval = config->interval_ms, span;

	if (!target->health.settled) {
		uint64_t fast = MAX(interval / 4, TARGET_FAST_MIN_MS);

		fast = MAX(fast, checks->n_probed / TARGET_FAST_PER_MS);
		interval = MIN(interval, fast);
	}
	span = interval * config->jitter_percent / 100;
	return interval - span + target_random(checks) % (2 * span + 1);
}

static void target_due(uv_timer_t *timer)
{
	struct target *target = timer->data;
	struct checks *checks = target->checks;

	target->is_due = true;
	TAILQ_INSERT_TAIL(&checks->due, target, due);
	if (!uv_is_active((uv_handle_t *)&checks->starter))
		(void)uv_timer_start(&checks->starter, targets_start, 0, 0);
}

/* In the next turn of the loop at the earliest, so that a probe that fails at
 * once cannot keep the loop from everything else.
 */
static void target_schedule(struct target *target)
{
	uint64_t due = target->started_ms + target_interval_ms(target);
	uint64_t now = uv_now(target->checks->loop);

	(void)uv_timer_start(&target->timer, target_due, due > now ? due - now : 1, 0);
}

/* An asker may free any check, its own and the other askers' too, and make new
 * ones. The target stays in memory until libuv has closed its timer.
 */
static void tell_first(struct checks *checks)
{
	struct target *target = TAILQ_FIRST(&checks->telling);
	struct check *check = target->next_to_tell;

	if (check) {
		target->next_to_tell = check->next;
		check->changed(check->arg);
		return;
	}
	target->is_telling = false;
	TAILQ_REMOVE(&checks->telling, target, telling);
}

/* A server can have thousands of askers: a turn of the loop tells those that it has time for. */
void targets_tell(uv_timer_t *teller)
{
	struct checks *checks = teller->data;
	const uint64_t started_ns = uv_hrtime();

	for (unsigned n = 1; !TAILQ_EMPTY(&checks->telling); n++) {
		if (n % TARGET_TELL_CHECK == 0 && uv_hrtime() - started_ns > TARGET_TELL_NS) {
			/* not 0: libuv 1.44 would run it again before it looks at sockets */
			(void)uv_timer_start(teller, targets_tell, 1, 0);
			return;
		}
		tell_first(checks);
	}
}

/* While askers wait to be told already, it comes behind them; its own are told of the last
 * result, all of them.
 */
static void target_tell(struct target *target)
{
	struct checks *checks = target->checks;
	const bool waits = !TAILQ_EMPTY(&checks->telling);

	target->next_to_tell = target->askers;
	if (!target->is_telling)
		TAILQ_INSERT_TAIL(&checks->telling, target, telling);
	target->is_telling = true;
	if (!waits)
		targets_tell(&checks->teller);
}

static void target_warn(struct checks *checks, const char *text)
{
	uint64_t now = uv_now(checks->loop);

	if (checks->warned_ms && now - checks->warned_ms < TARGET_WARN_MS)
		return;
	checks->warned_ms = now;
	log_warning("health checks fail for want of something on this machine; backends keep "
		    "their state: %s",
		    text);
}

/* Whether what is down is there at all: one answer says so, `fall` probes in a row
 * without any say the contrary. True: it matters to those who have connections.
 */
static bool target_note_answer(struct target *target, enum probe_outcome outcome)
{
	struct check_result *result = &target->result;
	bool answers = result->answers;

	if (outcome == PROBE_FAILED) {
		if (++target->unanswered >= target->health.fall)
			result->answers = false;
	} else {
		target->unanswered = 0;
		result->answers |= outcome == PROBE_NOT_READY;
	}
	return result->probed && !target->health.up && result->answers != answers;
}

static void target_conclude(void *arg, enum probe_outcome outcome, const char *text)
{
	struct target *target = arg;
	struct check_result *result = &target->result;
	bool changed = false, tell = false;

	(void)snprintf(result->text, sizeof(result->text), "%s", text);
	if (outcome == PROBE_IMPOSSIBLE) {
		target_warn(target->checks, text);
	} else {
		changed = health_step(&target->health, outcome == PROBE_OK);
		tell = target_note_answer(target, outcome) || changed;
		result->probed = true;
		result->up = target->health.up;
		result->last_ok = target->health.last_ok;
		result->run = target->health.run;
		result->duration_us = (unsigned)((uv_hrtime() - target->started_ns) / 1000);
	}
	if (changed)
		result->changed_ms = uv_now(target->checks->loop);
	target_schedule(target);
	if (tell)
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

static void target_start_probe(struct target *target)
{
	uv_loop_t *loop = target->checks->loop;
	uint64_t limit = target->spec.config.timeout_ms;
	uint64_t now;
	int error;

	target->started_ns = uv_hrtime();
	target->started_ms = uv_now(loop);
	target->extended = false;
	error = target->kind->start(target->probe, target_conclude, target);
	if (error) {
		char text[PROBE_TEXT_SIZE];
		enum probe_outcome outcome = probe_explain(-error, text);

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
	(void)uv_timer_start(&target->timer, target_time_up, limit, 0);
}

/* When the loop was held up, all targets can be due at once. */
void targets_start(uv_timer_t *starter)
{
	struct checks *checks = starter->data;
	struct target *target;

	for (size_t i = 0; i < TARGET_STARTS_PER_TURN; i++) {
		target = TAILQ_FIRST(&checks->due);
		if (!target)
			return;
		TAILQ_REMOVE(&checks->due, target, due);
		target->is_due = false;
		target_start_probe(target);
	}
	(void)uv_timer_start(starter, targets_start, 1, 0);
}

void target_begin(struct target *target, bool up)
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
	spread = MIN(config->interval_ms, checks->n_probed * TARGET_START_SPREAD_MS);
	(void)uv_timer_start(&target->timer, target_due, target_random(checks) % (spread + 1), 0);
}

void target_end(struct target *target)
{
	if (!target->kind)
		return;
	target->checks->n_probed--;
	target->kind->free(TAKE_PTR(target->probe));
	if (target->is_due)
		TAILQ_REMOVE(&target->checks->due, target, due);
	if (target->is_telling)
		TAILQ_REMOVE(&target->checks->telling, target, telling);
}
