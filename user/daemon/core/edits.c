// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/edits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/log.h"

static bool same_backend(const struct config_change *a, const struct config_change *b)
{
	return !strcmp(a->service, b->service) && !strcmp(a->backend, b->backend);
}

/* Whether `later` makes `earlier` void. A backend that is added anew after its removal
 * needs both changes.
 */
static bool voids(const struct config_change *later, const struct config_change *earlier)
{
	if (!same_backend(later, earlier))
		return false;
	return later->kind == CHANGE_REMOVE ||
	       (later->kind == earlier->kind && later->kind != CHANGE_ADD);
}

static const struct backend_config *find_in_file(const struct balancer *balancer,
						 const struct config_change *change)
{
	const struct service_config *service = config_find_service(balancer->file, change->service);

	return service ? config_find_backend(service, change->backend) : NULL;
}

/* Whether the file says the same. It says nothing of a backend that the list adds. */
static bool in_file(const struct balancer *balancer, const struct edit_list *list,
		    const struct config_change *change)
{
	const struct backend_config *backend = find_in_file(balancer, change);

	for (size_t i = 0; i < list->n; i++)
		if (list->edits[i].change.kind == CHANGE_ADD &&
		    same_backend(&list->edits[i].change, change))
			return false;
	switch (change->kind) {
	case CHANGE_ADD:
		return false;
	case CHANGE_REMOVE:
		return !backend;
	case CHANGE_WEIGHT:
		return backend && backend->weight == change->weight;
	case CHANGE_ADMIN_STATE:
		return backend && backend->admin_state == change->admin_state;
	}
	return false;
}

int edits_replay(const struct balancer *balancer, const struct balancer_edit *edit, bool undone,
		 struct edit_list *ret_list)
{
	struct edit_list list = {
		.edits = calloc(balancer->n_edits + 1, sizeof(*list.edits)),
	};

	if (!list.edits)
		return -ENOMEM;
	for (size_t i = 0; i < balancer->n_edits; i++)
		if (!voids(&edit->change, &balancer->edits[i].change))
			list.edits[list.n++] = balancer->edits[i];
	if (!undone)
		list.edits[list.n++] = *edit;
	*ret_list = list;
	return 0;
}

int edits_with(const struct balancer *balancer, const struct balancer_edit *edit,
	       struct edit_list *ret_list, bool *ret_noted)
{
	int error = edits_replay(balancer, edit, true, ret_list);

	if (error)
		return error;
	*ret_noted = !in_file(balancer, ret_list, &edit->change);
	if (*ret_noted)
		ret_list->edits[ret_list->n++] = *edit;
	return 0;
}

void edits_swap(struct balancer *balancer, struct edit_list *list)
{
	const struct edit_list old = { .edits = balancer->edits, .n = balancer->n_edits };

	balancer->edits = list->edits;
	balancer->n_edits = list->n;
	*list = old;
}

void edits_free(struct edit_list *list)
{
	free(list->edits);
}

static const char *describe_admin_state(enum admin_state admin_state)
{
	switch (admin_state) {
	case ADMIN_UP:
		return "enabled";
	case ADMIN_DRAIN:
		return "drained";
	case ADMIN_DISABLED:
		return "disabled";
	}
	return "";
}

const char *edits_describe(const struct config_change *change, char buffer[static EDIT_TEXT_SIZE])
{
	int length = snprintf(buffer, EDIT_TEXT_SIZE, "backend %s/%s ", change->service,
			      change->backend);
	size_t room = EDIT_TEXT_SIZE - (size_t)length;
	char *end = buffer + length;

	switch (change->kind) {
	case CHANGE_ADD:
		(void)snprintf(end, room, "added at run time, weight %u%s", change->weight,
			       change->backup ? ", as a backup" : "");
		break;
	case CHANGE_REMOVE:
		(void)snprintf(end, room, "removed at run time");
		break;
	case CHANGE_WEIGHT:
		(void)snprintf(end, room, "given weight %u at run time", change->weight);
		break;
	case CHANGE_ADMIN_STATE:
		(void)snprintf(end, room, "%s at run time",
			       describe_admin_state(change->admin_state));
		break;
	}
	return buffer;
}

struct config *edits_remake(struct balancer *balancer, struct config *file)
{
	struct config *config = file;

	for (size_t i = 0; i < balancer->n_edits; i++) {
		struct balancer_edit *edit = &balancer->edits[i];
		struct config *changed;

		edit->unfit = config_apply_change(config, &edit->change, NULL, &changed) != 0;
		if (edit->unfit)
			continue;
		if (config != file)
			config_free(config);
		config = changed;
	}
	return config;
}

static bool is_about(const struct balancer_edit *edit, const struct backend *backend)
{
	return !strcmp(edit->change.service, backend->service->config->name) &&
	       !strcmp(edit->change.backend, backend->config->name);
}

bool edits_are_about(const struct backend *backend)
{
	const struct balancer *balancer = backend->service->balancer;

	for (size_t i = 0; i < balancer->n_edits; i++)
		if (is_about(&balancer->edits[i], backend))
			return true;
	return false;
}

const struct balancer_edit *edits_drain_of(const struct backend *backend)
{
	const struct balancer *balancer = backend->service->balancer;
	const struct balancer_edit *last = NULL;

	if (backend->config->admin_state != ADMIN_DRAIN)
		return NULL;
	for (size_t i = 0; i < balancer->n_edits; i++)
		if (balancer->edits[i].change.kind == CHANGE_ADMIN_STATE &&
		    is_about(&balancer->edits[i], backend))
			last = &balancer->edits[i];
	return last && last->deadline_ms ? last : NULL;
}

unsigned long long edits_seconds_left(const struct balancer *balancer,
				      const struct balancer_edit *edit)
{
	unsigned long long now = uv_now(balancer->loop);

	return edit->deadline_ms > now ? (edit->deadline_ms - now + 999) / 1000 : 0;
}

size_t edits_forget_unfit(struct balancer *balancer)
{
	size_t kept = 0, n = balancer->n_edits;
	char text[EDIT_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		const struct balancer_edit *edit = &balancer->edits[i];

		if (edit->unfit)
			log_warning("does not fit the new configuration and is forgotten: %s",
				    edits_describe(&edit->change, text));
		else
			balancer->edits[kept++] = *edit;
	}
	balancer->n_edits = kept;
	return n - kept;
}
