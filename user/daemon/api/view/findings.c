/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a check of a configuration has found. Only reads.
 */
#include "daemon/api/view/view.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

void view_add_place(json_t *object, const struct diag *diag)
{
	if (diag->file[0])
		(void)json_object_set_new(object, "file", view_text(diag->file));
	if (!diag->line)
		return;
	(void)json_object_set_new(object, "line", json_integer(diag->line));
	(void)json_object_set_new(object, "column", json_integer(diag->column));
}

json_t *view_findings(const struct diag_list *list, bool warnings)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < list->n; i++) {
		const struct diag_item *item = &list->items[i];
		json_t *object;

		if (item->warning != warnings)
			continue;
		object = json_pack("{s:o}", "text", view_text(item->diag.text));
		if (object)
			view_add_place(object, &item->diag);
		if (json_array_append_new(array, object) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}
