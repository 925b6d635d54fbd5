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

static json_t *view_edit(const struct balancer *balancer, const struct balancer_edit *edit)
{
	char text[EDIT_TEXT_SIZE], end[64];

	return json_sprintf("%s%s", edits_describe(&edit->change, text),
			    describe_end(balancer, edit, end, sizeof(end)));
}

json_t *view_changes(const struct balancer *balancer)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < balancer->n_edits; i++)
		if (json_array_append_new(array, view_edit(balancer, &balancer->edits[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}
