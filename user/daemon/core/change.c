// SPDX-License-Identifier: BSD-2-Clause
/* The state file has a change before it is made, so that no change is answered that a crash
 * undoes. Where a change then cannot be made, the file gets the old list back.
 */
#include "daemon/core/change.h"

#include <errno.h>
#include <string.h>
#include <uv.h>

#include "daemon/clock.h"
#include "daemon/core/balancer.h"
#include "daemon/core/denied.h"
#include "daemon/core/edits.h"
#include "daemon/core/kept.h"
#include "daemon/core/reload.h"
#include "daemon/log.h"
#include "daemon/statefile/record.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

/* ---- one backend --------------------------------------------------------- */

/* The configuration that runs with a change, which fits. */
static int change_config(struct balancer *balancer, const struct config_change *change,
			 struct diag *diag, struct config **ret_config)
{
	_cleanup_(config_freep) struct config *config = NULL;
	struct balancer_change unused;
	int error = config_apply_change(balancer->config, change, diag, &config);

	if (!error)
		error = balancer_check_change(balancer, config, diag, &unused);
	if (!error)
		*ret_config = TAKE_PTR(config);
	return error;
}

/* The balancer has the new list of edits, and gets the configuration that comes of it. */
static int keep_and_switch(struct balancer *balancer, struct config *config,
			   const struct record *news, struct diag *diag)
{
	return kept_put(balancer, news, diag) ?: balancer_switch(balancer, config, diag);
}

int balancer_edit(struct balancer *balancer, const struct edit_request *request, struct diag *diag)
{
	unsigned timeout_ms = request->timeout_ms;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(edits_free) struct edit_list list = {};
	struct balancer_edit edit = {
		.change = *request->change,
		.deadline_ms = timeout_ms ? uv_now(balancer->loop) + timeout_ms : 0,
		.ends_ms = timeout_ms ? clock_wall_ms() + timeout_ms : 0,
		.made_ms = clock_wall_ms(),
		.author = request->author,
	};
	struct record news = kept_record_of_edit(&edit);
	bool noted = false;
	int error = change_config(balancer, &edit.change, diag, &config);

	if (error)
		return error;
	if (edits_with(balancer, &edit, &list, &noted))
		return diag_no_memory(diag);
	news.undone = !noted;
	edits_swap(balancer, &list);
	error = keep_and_switch(balancer, config, &news, diag);
	if (!error) {
		(void)TAKE_PTR(config);
		return 0;
	}
	edits_swap(balancer, &list);
	if (error != -EIO)
		kept_put_later(balancer);
	return error;
}

/* The state file needs no change: the drain says there when it ends. */
int balancer_end_drain(struct balancer *balancer, const struct balancer_edit *drain,
		       struct diag *diag)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(edits_free) struct edit_list list = {};
	struct balancer_edit edit = *drain;
	bool noted;
	int error;

	edit.change.admin_state = ADMIN_DISABLED;
	edit.deadline_ms = edit.ends_ms = 0;
	error = change_config(balancer, &edit.change, diag, &config);
	if (error)
		return error;
	if (edits_with(balancer, &edit, &list, &noted))
		return diag_no_memory(diag);
	error = balancer_switch(balancer, config, diag);
	if (error)
		return error;
	(void)TAKE_PTR(config);
	edits_swap(balancer, &list);
	return 0;
}

/* ---- taking back --------------------------------------------------------- */

static bool is_named(const struct revert *revert, const struct balancer_edit *edit)
{
	return (!revert->service || !strcmp(revert->service, edit->change.service)) &&
	       (!revert->backend || !strcmp(revert->backend, edit->change.backend));
}

/* The edits that stay. */
static int list_others(const struct balancer *balancer, const struct revert *revert,
		       struct edit_list *ret_list)
{
	struct edit_list list = {
		.edits = calloc(balancer->n_edits + 1, sizeof(*list.edits)),
	};

	if (!list.edits)
		return -ENOMEM;
	for (size_t i = 0; i < balancer->n_edits; i++)
		if (!is_named(revert, &balancer->edits[i]))
			list.edits[list.n++] = balancer->edits[i];
	*ret_list = list;
	return 0;
}

/* The balancer has the edits that stay; the file's configuration is made anew with them. */
static int switch_back(struct balancer *balancer, struct diag *diag)
{
	struct config *config = edits_remake(balancer, balancer->file);
	struct balancer_change unused;
	int error = balancer_check_change(balancer, config, diag, &unused);

	if (!error)
		error = keep_and_switch(balancer, config, NULL, diag);
	if (error && config != balancer->file)
		config_free(config);
	return error;
}

int balancer_revert(struct balancer *balancer, struct revert *revert, struct diag *diag)
{
	_cleanup_(edits_free) struct edit_list list = {};
	size_t n_denials = balancer->n_denials;
	int error;

	if (list_others(balancer, revert, &list))
		return diag_no_memory(diag);
	revert->n_edits = balancer->n_edits - list.n;
	revert->n_denials = revert->service ? 0 : n_denials;
	if (!revert->n_edits && !revert->n_denials)
		return revert->service ? -ENOENT : 0;
	edits_swap(balancer, &list);
	balancer->n_denials -= revert->n_denials;
	error = switch_back(balancer, diag);
	if (error) {
		edits_swap(balancer, &list);
		balancer->n_denials = n_denials;
		if (error != -EIO)
			kept_put_later(balancer);
		return error;
	}
	if (edits_forget_unfit(balancer))
		kept_put_later(balancer);
	return revert->n_denials ? balancer_denied_put(balancer, diag) : 0;
}
