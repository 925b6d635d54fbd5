// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/edits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"

static bool same_backend(const struct config_change *a, const struct config_change *b)
{
	return !strcmp(a->service, b->service) && !strcmp(a->backend, b->backend);
}

/* Whether `later` makes `earlier` void. */
static bool voids(const struct config_change *later, const struct config_change *earlier)
{
	if (!same_backend(later, earlier))
		return false;
	return later->kind == earlier->kind || later->kind == CHANGE_REMOVE;
}

int edits_note(struct server *server, const struct config_change *change,
	       unsigned long long deadline_ms)
{
	struct server_edit *edits =
		reallocarray(server->edits, server->n_edits + 1, sizeof(*edits));
	bool undone = false;
	size_t kept = 0;

	if (!edits)
		return -ENOMEM;
	server->edits = edits;
	for (size_t i = 0; i < server->n_edits; i++) {
		const struct config_change *earlier = &edits[i].change;

		if (!voids(change, earlier)) {
			edits[kept++] = edits[i];
			continue;
		}
		undone |= change->kind == CHANGE_REMOVE && earlier->kind == CHANGE_ADD;
		undone |= change->kind == CHANGE_WISH && change->wish == WISH_UP;
	}
	if (!undone)
		edits[kept++] = (struct server_edit){ .change = *change,
						      .deadline_ms = deadline_ms };
	server->n_edits = kept;
	return 0;
}

void edits_remake(struct server *server, struct config **config)
{
	for (size_t i = 0; i < server->n_edits; i++) {
		struct server_edit *edit = &server->edits[i];
		struct config *changed;

		edit->unfit = config_apply_change(*config, &edit->change, NULL, &changed) != 0;
		if (edit->unfit)
			continue;
		config_free(*config);
		*config = changed;
	}
}

void edits_forget_unfit(struct server *server)
{
	size_t kept = 0;

	for (size_t i = 0; i < server->n_edits; i++) {
		const struct server_edit *edit = &server->edits[i];

		if (edit->unfit)
			log_warning("what was changed at run time for %s/%s does not fit the new "
				    "configuration and is forgotten",
				    edit->change.service, edit->change.backend);
		else
			server->edits[kept++] = *edit;
	}
	server->n_edits = kept;
}
