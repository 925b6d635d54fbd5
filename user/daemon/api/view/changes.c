/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's changes at run time, in words. Only reads.
 */
#include <stdio.h>

#include "daemon/api/view/parts.h"
#include "daemon/api/view/view.h"
#include "daemon/clock.h"
#include "daemon/core/balancer.h"
#include "daemon/core/edits.h"
#include "lib/base/cleanup.h"

#define DENIALS_MAX 100

/* " (ends in 4m 10s)". */
static void describe_end(unsigned long long left, char *buffer, size_t size)
{
	if (left >= 3600)
		(void)snprintf(buffer, size, " (ends in %lluh %llum)", left / 3600,
			       left % 3600 / 60);
	else if (left >= 60)
		(void)snprintf(buffer, size, " (ends in %llum %llus)", left / 60, left % 60);
	else
		(void)snprintf(buffer, size, " (ends in %llus)", left);
}

static json_t *describe_edit(const struct balancer *balancer, const struct balancer_edit *edit)
{
	char text[EDIT_TEXT_SIZE], end[64] = "";

	if (edit->deadline_ms)
		describe_end(edits_seconds_left(balancer, edit), end, sizeof(end));
	return json_sprintf("%s%s", edits_describe(&edit->change, text), end);
}

static json_t *describe_denial(const struct denial *denial)
{
	unsigned long long now = clock_wall_ms();
	char prefix[PREFIX_TEXT_SIZE], end[64] = "";

	if (denial->ends_ms)
		describe_end(denial->ends_ms > now ? (denial->ends_ms - now + 999) / 1000 : 0, end,
			     sizeof(end));
	return json_sprintf("%s denied at run time%s", prefix_format_short(&denial->prefix, prefix),
			    end);
}

json_t *view_changes(const struct balancer *balancer)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < balancer->n_edits; i++)
		if (json_array_append_new(array, describe_edit(balancer, &balancer->edits[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

/* ---- with their authors --------------------------------------------------- */

/* Takes the reference. */
static json_t *view_row(json_t *text, const struct author *author, unsigned long long made_ms)
{
	return view_merge(json_pack("{s:o}", "text", text), view_author(author, made_ms));
}

static json_t *view_rest(size_t n)
{
	return json_pack("{s:o, s:n, s:n, s:n}", "text",
			 json_sprintf("%zu further prefixes denied at run time", n), "made", "uid",
			 "user");
}

json_t *view_authors(const struct balancer *balancer)
{
	size_t shown = balancer->n_denials < DENIALS_MAX ? balancer->n_denials : DENIALS_MAX;
	_cleanup_(json_decrefp) json_t *array = json_array();
	int error = 0;

	for (size_t i = 0; !error && i < balancer->n_edits; i++) {
		const struct balancer_edit *edit = &balancer->edits[i];

		error = json_array_append_new(array, view_row(describe_edit(balancer, edit),
							      &edit->author, edit->made_ms));
	}
	for (size_t i = 0; !error && i < shown; i++) {
		const struct denial *denial = &balancer->denials[i];

		error = json_array_append_new(
			array, view_row(describe_denial(denial), &denial->author, denial->made_ms));
	}
	if (!error && shown < balancer->n_denials)
		error = json_array_append_new(array, view_rest(balancer->n_denials - shown));
	return error ? NULL : TAKE_PTR(array);
}
