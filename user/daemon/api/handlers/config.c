// SPDX-License-Identifier: BSD-2-Clause
/* The configuration: checking, reloading and saving it. */
#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "daemon/api/handlers/handlers.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/core/change.h"
#include "daemon/core/edits.h"
#include "daemon/core/reload.h"
#include "daemon/core/save.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "sluice/api.h"

/* `waiting` is there only where services wait. */
static struct api_answer answer_change(const struct balancer_change *change,
				       const struct diag_list *list)
{
	return api_reply(json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:o*, s:o}", "services", (json_int_t)change->services,
		"backends", (json_int_t)change->backends, "added", (json_int_t)change->added,
		"removed", (json_int_t)change->removed, "changed", (json_int_t)change->changed,
		"waiting", change->waiting ? json_integer((json_int_t)change->waiting) : NULL,
		"warnings", view_findings(list, true)));
}

static struct api_answer post_reload(const struct api_ask *ask)
{
	_cleanup_(diag_list_done) struct diag_list list = {};
	struct balancer_change change = {};
	struct diag diag = { .list = &list };
	int error = balancer_reload(ask->balancer, api_switch(ask, "force"), &diag, &change);

	if (error)
		return api_refuse_config(error, &diag);
	api_log_change(ask,
		       "the configuration reloaded%s: %zu services added, %zu removed, %zu changed",
		       api_switch(ask, "force") ? " by force" : "", change.added, change.removed,
		       change.changed);
	return answer_change(&change, &list);
}

static bool is_config_type(const char *type)
{
	size_t length = strlen(SL_API_CONFIG_TYPE);

	return type && strncasecmp(type, SL_API_CONFIG_TYPE, length) == 0 &&
	       (!type[length] || strchr("; \t", type[length]));
}

static struct api_answer post_check(const struct api_ask *ask)
{
	const struct api_call *call = ask->call;
	const char *text = call->length ? call->body : NULL;
	char name[API_SEGMENT_SIZE] = "request";
	_cleanup_(diag_list_done) struct diag_list list = {};
	struct balancer_change change = {};
	struct diag diag = { .list = &list };
	int error;

	if (text && !is_config_type(call->type))
		return api_refuse(MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
				  "a configuration must be sent as Content-Type: %s",
				  SL_API_CONFIG_TYPE);
	if (call->name && call->name[0] &&
	    api_decode(call->name, strlen(call->name), name, sizeof(name)) < 0)
		return api_refuse(MHD_HTTP_BAD_REQUEST,
				  "\"name\" is malformed or longer than %zu bytes",
				  sizeof(name) - 1);
	error = balancer_check(ask->balancer, text, call->length, name, &diag, &change);
	return error ? api_refuse_config(error, &diag) : answer_change(&change, &list);
}

/* A file that says all there is already keeps its comments. */
static struct api_answer post_save(const struct api_ask *ask)
{
	size_t n_changes = balancer_unsaved(ask->balancer);
	struct diag diag = {};
	int error = n_changes ? balancer_save(ask->balancer, &diag) : 0;

	if (error)
		return api_refuse_diag(MHD_HTTP_INTERNAL_SERVER_ERROR, &diag);
	if (n_changes)
		api_log_change(ask,
			       "the running configuration with %zu changes at run time saved to %s",
			       n_changes, ask->balancer->options.config_path);
	return api_reply(json_pack("{s:o, s:I}", "file",
				   view_text(ask->balancer->options.config_path), "changes",
				   (json_int_t)n_changes));
}

static struct api_answer refuse_revert(const struct api_ask *ask, const struct revert *revert)
{
	struct api_list list = {};
	char text[EDIT_TEXT_SIZE];

	for (size_t i = 0; i < ask->balancer->n_edits; i++)
		api_list_add(&list, edits_describe(&ask->balancer->edits[i].change, text));
	return api_refuse(MHD_HTTP_NOT_FOUND,
			  "nothing was changed at run time for %.64s%s%.64s; the changes are: %s",
			  revert->service, revert->backend ? "/" : "", revert->backend ?: "",
			  api_list_text(&list));
}

static struct api_answer post_revert(const struct api_ask *ask)
{
	struct revert revert = {
		.service = api_text(ask, "service"),
		.backend = api_text(ask, "backend"),
	};
	struct diag diag = {};
	int error;

	if (revert.backend && !revert.service)
		return api_refuse(MHD_HTTP_BAD_REQUEST,
				  "\"backend\" needs a \"service\" beside it");
	error = balancer_revert(ask->balancer, &revert, &diag);
	if (error == -ENOENT)
		return refuse_revert(ask, &revert);
	if (error)
		return api_refuse_config(error, &diag);
	if (revert.n_edits || revert.n_denials)
		api_log_change(ask,
			       "changes at run time taken back: %zu of backends%s%s%s%s, %zu of "
			       "denied prefixes",
			       revert.n_edits, revert.service ? " for " : "", revert.service ?: "",
			       revert.backend ? "/" : "", revert.backend ?: "", revert.n_denials);
	return api_reply(json_pack("{s:I, s:I}", "changes", (json_int_t)revert.n_edits, "denied",
				   (json_int_t)revert.n_denials));
}

const struct api_route handlers_config[] = {
	{ "POST", "/v1/config/save", post_save, .takes = API_TAKES_MEMBERS },
	{ "POST", "/v1/revert", post_revert, .takes = API_TAKES_MEMBERS,
	  .members = { { "service", .type = API_TEXT }, { "backend", .type = API_TEXT } } },
	{ "POST", "/v1/reload", post_reload, .takes = API_TAKES_MEMBERS,
	  .members = { { "force", .type = API_SWITCH } } },
	{ "POST", "/v1/check", post_check, .takes = API_TAKES_CONFIG, .unlocked = true,
	  .large = true },
	{},
};
