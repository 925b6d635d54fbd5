// SPDX-License-Identifier: BSD-2-Clause
/* Copies, edits the copy, and lets the rules of config/rules.c judge it. What a
 * file's reader would refuse key by key is refused here: names, addresses,
 * numbers out of range.
 */
#include "lib/config/edit.h"

#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/copy.h"
#include "lib/config/read.h"
#include "lib/config/rules.h"

#define SHOWN_MAX 10 /* names of what exists */

struct edit {
	const struct config_change *change;
	struct diag *diag;
	const struct service_config *from; /* before the change */
	struct service_config *service;    /* of the copy */
	struct backend_config *changed;    /* one that rules may blame; or NULL */
};

/* Names behind each other, the ones too many as a count. */
struct name_list {
	char text[SHOWN_MAX * (CONFIG_NAME_MAX + 2) + 32];
	size_t used;
	size_t n;
};

static void list_name(struct name_list *list, const char *name)
{
	if (list->n++ >= SHOWN_MAX)
		return;
	list->used += (size_t)snprintf(list->text + list->used, sizeof(list->text) - list->used,
				       "%s%s", list->n > 1 ? ", " : "", name);
}

static const char *list_end(struct name_list *list)
{
	if (list->n > SHOWN_MAX)
		(void)snprintf(list->text + list->used, sizeof(list->text) - list->used,
			       " and %zu more", list->n - SHOWN_MAX);
	return list->text;
}

/* A name that was asked for, as far as it can be shown. */
static const char *show_name(const char *name)
{
	const char *c;

	for (c = name; *c; c++) {
		if (*c <= 0x20 || *c >= 0x7f)
			return "...";
	}
	return name;
}

static int refuse_service(const struct edit *edit, const struct config *config)
{
	const char *name = show_name(edit->change->service);
	struct name_list list = {};

	if (!config->n_services)
		return diag_set(edit->diag, ENOENT, "there is no service \"%s\", nor any other",
				name);
	for (size_t i = 0; i < config->n_services; i++)
		list_name(&list, config->services[i].name);
	return diag_set(edit->diag, ENOENT, "there is no service \"%s\"; there is %s", name,
			list_end(&list));
}

static int refuse_backend(const struct edit *edit)
{
	const struct service_config *service = edit->service;
	struct name_list list = {};

	for (size_t i = 0; i < service->n_backends; i++)
		list_name(&list, service->backends[i].name);
	return diag_set(edit->diag, ENOENT, "%s: has no backend \"%s\"; it has %s", service->name,
			show_name(edit->change->backend), list_end(&list));
}

/* The copy's backend of this name; the copy has those of `from` in their order. */
static struct backend_config *find_backend(const struct edit *edit, const char *name)
{
	const struct backend_config *found = config_find_backend(edit->from, name);

	return found ? &edit->service->backends[found - edit->from->backends] : NULL;
}

/* ---- one edit of each kind ---------------------------------------------- */

static int check_weight(const struct edit *edit)
{
	if (edit->change->weight <= CONFIG_WEIGHT_MAX)
		return 0;
	return diag_set(edit->diag, EINVAL, "%s: %u is not a weight; a number from 0 to %d",
			edit->service->name, edit->change->weight, CONFIG_WEIGHT_MAX);
}

static int check_admin_state(const struct edit *edit)
{
	switch (edit->change->admin_state) {
	case ADMIN_UP:
	case ADMIN_DRAIN:
	case ADMIN_DISABLED:
		return 0;
	}
	return diag_set(edit->diag, EINVAL, "%s: a backend is up, drain or disabled",
			edit->service->name);
}

/* Also the name that a backend has when it is given none. */
static bool is_backend_name(const struct config_change *change)
{
	char endpoint[ENDPOINT_TEXT_SIZE];

	return !change->backend[0] || config_is_name(change->backend) ||
	       strcmp(change->backend, endpoint_format(&change->ip, change->port, endpoint)) == 0;
}

/* What must hold of a new backend before the rules can look at it. */
static int check_new(const struct edit *edit)
{
	const struct config_change *change = edit->change;
	const char *service = edit->service->name;
	char text[ADDR_TEXT_SIZE];
	const char *fault;
	int error;

	if (!is_backend_name(change))
		return diag_set(edit->diag, EINVAL,
				"%s: a backend's name is 1 to %d of A-Z, a-z, 0-9, dot, hyphen and "
				"underscore, the first a letter or digit",
				service, CONFIG_NAME_MAX);
	if (change->ip.family != SL_FAMILY_IPV4 && change->ip.family != SL_FAMILY_IPV6)
		return diag_set(edit->diag, EINVAL, "%s: a new backend needs an address", service);
	fault = config_address_fault(&change->ip);
	if (fault)
		return diag_set(edit->diag, EINVAL,
				"%s: \"%s\" is %s; write one that other machines can reach",
				service, ip_format(&change->ip, text), fault);
	error = check_weight(edit);
	return error ? error : check_admin_state(edit);
}

static int refuse_twin(const struct edit *edit, const char *name)
{
	const struct service_config *service = edit->service;
	const struct backend_config *twin = find_backend(edit, name);
	char text[ENDPOINT_TEXT_SIZE];

	if (!twin)
		return 0;
	return diag_set(edit->diag, EEXIST, "%s: has a backend \"%s\" already, at %s",
			service->name, name, endpoint_format(&twin->ip, twin->port, text));
}

static int add_backend(struct edit *edit)
{
	const struct config_change *change = edit->change;
	struct service_config *service = edit->service;
	__be16 port = change->port ? change->port : service->port;
	char endpoint[ENDPOINT_TEXT_SIZE];
	struct backend_config *backends;
	const char *name;
	int error;

	error = check_new(edit);
	if (error)
		return error;
	(void)endpoint_format(&change->ip, port, endpoint);
	name = change->backend[0] ? change->backend : endpoint;
	error = refuse_twin(edit, name);
	if (error)
		return error;
	backends = realloc(service->backends, (service->n_backends + 1) * sizeof(*backends));
	if (!backends)
		return diag_no_memory(edit->diag);
	service->backends = backends;
	edit->changed = &backends[service->n_backends];
	if (section_init(&section_backend, NULL, NULL, edit->changed) != 0)
		return diag_no_memory(edit->diag);
	edit->changed->name = strdup(name);
	edit->changed->ip = change->ip;
	edit->changed->port = port;
	edit->changed->weight = change->weight;
	edit->changed->backup = change->backup;
	edit->changed->admin_state = change->admin_state;
	if (!edit->changed->name)
		return diag_no_memory(edit->diag);
	service->n_backends++;
	return 0;
}

static int remove_backend(struct edit *edit, struct backend_config *backend)
{
	struct service_config *service = edit->service;
	size_t behind = (size_t)(&service->backends[service->n_backends] - (backend + 1));

	if (service->n_backends == 1)
		return diag_set(edit->diag, EINVAL,
				"%s: \"%s\" is its last backend, and a service needs 1 or more; "
				"drain or disable it",
				service->name, backend->name);
	free(backend->name);
	memmove(backend, backend + 1, behind * sizeof(*backend));
	service->n_backends--;
	return 0;
}

static int change_backend(struct edit *edit, struct backend_config *backend)
{
	int error;

	switch (edit->change->kind) {
	case CHANGE_ADD:
		break;
	case CHANGE_REMOVE:
		return remove_backend(edit, backend);
	case CHANGE_WEIGHT:
		error = check_weight(edit);
		if (!error)
			backend->weight = edit->change->weight;
		return error;
	case CHANGE_ADMIN_STATE:
		error = check_admin_state(edit);
		if (!error)
			backend->admin_state = edit->change->admin_state;
		return error;
	}
	return diag_set(edit->diag, EINVAL, "%s: no such change", edit->service->name);
}

static int change_service(struct edit *edit, size_t n_services)
{
	struct service_config *service = edit->service;
	bool is_default = service->table_size == config_default_table_size(service, n_services);
	struct backend_config *backend;
	int error;

	if (edit->change->kind == CHANGE_ADD) {
		error = add_backend(edit);
	} else {
		backend = find_backend(edit, edit->change->backend);
		error = backend ? change_backend(edit, backend) : refuse_backend(edit);
	}
	if (!error && is_default)
		service->table_size = config_default_table_size(service, n_services);
	return error;
}

int config_apply_change(const struct config *from, const struct config_change *change,
			struct diag *diag, struct config **ret_config)
{
	_cleanup_(config_freep) struct config *config = NULL;
	struct edit edit = { .change = change, .diag = diag };
	const struct service_config *service;
	int error;

	if (diag)
		*diag = (struct diag){};
	service = config_find_service(from, change->service);
	if (!service)
		return refuse_service(&edit, from);
	error = config_copy(from, &config);
	if (error)
		return diag_no_memory(diag);
	edit.from = service;
	edit.service = &config->services[service - from->services];
	error = change_service(&edit, config->n_services);
	if (!error)
		error = config_check_rules(config, NULL, edit.changed, diag);
	if (error)
		return error;
	*ret_config = TAKE_PTR(config);
	return 0;
}
