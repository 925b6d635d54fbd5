// SPDX-License-Identifier: BSD-2-Clause
/* Who asks for what: equal checks become askers of one target, which lives as
 * long as it has one. What happens to a target is health/target.c's.
 */
#include "daemon/health/checks.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <string.h>

#include "daemon/health/target.h"
#include "lib/base/cleanup.h"

/* CHECK_NONE has no kind of probe. */
#define CHECK_KIND(name, word, speaks_http) [CHECK_##name] = &probe_##word,
static const struct probe_kind *const check_kinds[CHECK_TYPE_COUNT] = { CHECK_PROBED_TYPES(
	CHECK_KIND) };
#undef CHECK_KIND

static void target_destroy(struct target *target)
{
	if (target->probe)
		target->kind->free(target->probe);
	free(target->spec.config.path);
	free(target->spec.config.host);
	free(target);
}

DEFINE_CLEANUP(target_destroy, struct target *);

static void target_closed(uv_handle_t *handle)
{
	target_destroy(handle->data);
}

/* The probe goes at once, the rest when libuv has let go of the timer. */
static void target_free(struct target *target)
{
	(void)tdelete(target, &target->checks->targets, probe_spec_compare);
	target_end(target);
	uv_close((uv_handle_t *)&target->timer, target_closed);
}

static int target_make_probe(struct target *target)
{
	struct checks *checks = target->checks;
	enum check_type type = target->spec.config.type;
	int error;

	if (!checks->shared[type]) {
		error = target->kind->open(checks->loop, &checks->shared[type]);
		if (error)
			return error;
	}
	return target->kind->make(checks->shared[type], &target->spec, &target->probe);
}

static int target_new(struct checks *checks, const struct probe_spec *spec, bool up,
		      struct target **ret_target)
{
	_cleanup_(target_destroyp) struct target *target = calloc(1, sizeof(*target));
	const char *path = spec->config.path, *host = spec->config.host;
	int error;

	if (!target)
		return -ENOMEM;
	target->checks = checks;
	target->kind = check_kinds[spec->config.type];
	target->spec = *spec;
	target->spec.config.path = path ? strdup(path) : NULL;
	target->spec.config.host = host ? strdup(host) : NULL;
	if ((path && !target->spec.config.path) || (host && !target->spec.config.host))
		return -ENOMEM;
	error = target->kind ? target_make_probe(target) : 0;
	if (error)
		return error;
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
	TAILQ_INIT(&checks->due);
	(void)uv_timer_init(loop, &checks->starter);
	TAILQ_INIT(&checks->telling);
	(void)uv_timer_init(loop, &checks->teller);
	checks->starter.data = checks->teller.data = checks;
	checks->n_open = 2;
	if (uv_random(NULL, NULL, &checks->random, sizeof(checks->random), 0, NULL) < 0)
		checks->random = uv_hrtime();
	*ret_checks = checks;
	return 0;
}

static void checks_closed(uv_handle_t *handle)
{
	struct checks *checks = handle->data;

	if (!--checks->n_open)
		free(checks);
}

void checks_free(struct checks *checks)
{
	if (!checks)
		return;
	assert(!checks->targets);
	for (size_t i = 0; i < CHECK_TYPE_COUNT; i++)
		if (check_kinds[i])
			check_kinds[i]->close(checks->shared[i]);
	uv_close((uv_handle_t *)&checks->starter, checks_closed);
	uv_close((uv_handle_t *)&checks->teller, checks_closed);
}

int check_new(struct checks *checks, const struct check_request *request, struct check **ret_check)
{
	_cleanup_(cleanup_free) struct check *check = calloc(1, sizeof(*check));
	struct probe_spec spec;
	struct target **found;
	int error;

	if (!check)
		return -ENOMEM;
	error = probe_spec_fill(request->config, &request->ip, request->port, &spec);
	if (error)
		return error;
	found = tfind(&spec, &checks->targets, probe_spec_compare);
	if (found)
		check->target = *found;
	else
		error = target_new(checks, &spec, request->up, &check->target);
	if (error)
		return error;
	check->changed = request->changed;
	check->arg = request->arg;
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
	if (target->next_to_tell == check)
		target->next_to_tell = check->next;
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
