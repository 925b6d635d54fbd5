/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's changes at run time, in words. Only reads.
 */
#include <stdio.h>

#include "daemon/api/view/parts.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/core/edits.h"
#include "lib/base/cleanup.h"

/* " (ends in 4m 10s)", or nothing. */
static const char *describe_end(const struct balancer *balancer, const struct balancer_edit *edit,
				char *buffer, size_t size)
{
	unsigned long long left = edits_seconds_left(balancer, edit);

	buffer[0] = '\0';
	if (edit->deadline_ms && left >= 3600)
		(void)snprintf(buffer, size, " (ends in %lluh %llum)", left / 3600,
			       left % 3600 / 60);
	else if (edit->deadline_ms && left >= 60)
		(void)snprintf(buffer, size, " (ends in %llum %llus)", left / 60, left % 60);
	else if (edit->deadline_ms)
		(void)snprintf(buffer, size, " (ends in %llus)", left);
	return buffer;
}

static json_t *describe_admin_state(const struct balancer *balancer,
				    const struct balancer_edit *edit)
{
	const struct config_change *change = &edit->change;
	char end[64];

	switch (change->admin_state) {
	case ADMIN_UP:
		return json_sprintf("backend %s/%s enabled at run time", change->service,
				    change->backend);
	case ADMIN_DRAIN:
		return json_sprintf("backend %s/%s drained at run time%s", change->service,
				    change->backend,
				    describe_end(balancer, edit, end, sizeof(end)));
	case ADMIN_DISABLED:
		return json_sprintf("backend %s/%s disabled at run time", change->service,
				    change->backend);
	}
	return NULL;
}

static json_t *describe(const struct balancer *balancer, const struct balancer_edit *edit)
{
	const struct config_change *change = &edit->change;

	switch (change->kind) {
	case CHANGE_ADD:
		return json_sprintf("backend %s/%s added at run time, weight %u%s", change->service,
				    change->backend, change->weight,
				    change->backup ? ", as a backup" : "");
	case CHANGE_REMOVE:
		return json_sprintf("backend %s/%s removed at run time", change->service,
				    change->backend);
	case CHANGE_WEIGHT:
		return json_sprintf("backend %s/%s given weight %u at run time", change->service,
				    change->backend, change->weight);
	case CHANGE_ADMIN_STATE:
		return describe_admin_state(balancer, edit);
	}
	return NULL;
}

json_t *view_changes(const struct balancer *balancer)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < balancer->n_edits; i++)
		if (json_array_append_new(array, describe(balancer, &balancer->edits[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}
