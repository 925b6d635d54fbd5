/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What each route does. The only part of the control interface that calls what
 * changes the balancer.
 */
#include "daemon/api/handlers/handlers.h"

#include <errno.h>
#include <microhttpd.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "daemon/api/find.h"
#include "daemon/api/reply.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "daemon/core/interfaces.h"
#include "daemon/core/reload.h"
#include "daemon/core/save.h"
#include "lib/base/diag.h"
#include "lib/config/write.h"
#include "sluice/api.h"

/* ---- reading ----------------------------------------------------------- */

struct api_answer api_get_status(const struct api_ask *ask)
{
	return api_reply(view_status(ask->balancer));
}

struct api_answer api_get_services(const struct api_ask *ask)
{
	return api_reply(view_services(ask->balancer));
}

struct api_answer api_get_backends(const struct api_ask *ask)
{
	return api_reply(view_backends(ask->balancer));
}

struct api_answer api_get_stats(const struct api_ask *ask)
{
	return api_reply(view_stats(ask->balancer));
}

struct api_answer api_get_service(const struct api_ask *ask)
{
	struct api_answer refusal;
	const struct service *service = api_find_service(ask, &refusal);

	return service ? api_reply(view_service(service)) : refusal;
}

struct api_answer api_get_backend(const struct api_ask *ask)
{
	struct api_answer refusal;
	const struct backend *backend = api_find_backend(ask, &refusal);

	return backend ? api_reply(view_backend(backend)) : refusal;
}

/* ---- interfaces -------------------------------------------------------- */

static struct api_answer no_interface(const char *name)
{
	struct if_nameindex *all = if_nameindex();
	struct api_list list = {};

	for (const struct if_nameindex *i = all; i && i->if_name; i++)
		api_list_add(&list, i->if_name);
	if (all)
		if_freenameindex(all);
	return api_refuse(MHD_HTTP_NOT_FOUND,
			  "there is no interface \"%s\"; the interfaces are: %s", name,
			  api_list_text(&list));
}

/* The interface is not there, or is not as it must be for what was asked. */
static unsigned attach_status(int error)
{
	switch (-error) {
	case ENODEV:
	case ENOENT:
		return MHD_HTTP_NOT_FOUND;
	case EBUSY:
	case EEXIST:
	case EOPNOTSUPP:
		return MHD_HTTP_CONFLICT;
	}
	return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

struct api_answer api_post_attach(const struct api_ask *ask)
{
	const char *name = json_string_value(ask->members[0]);
	const char *mode_name = json_string_value(ask->members[1]);
	enum attach_mode mode = ATTACH_AUTO;
	const struct attachment *attachment;
	struct diag diag = {};
	int error;

	if (mode_name && config_mode_parse(mode_name, &mode) < 0)
		return api_refuse(MHD_HTTP_BAD_REQUEST,
				  "\"mode\" must be auto, native or generic, not \"%s\"",
				  mode_name);
	if (strlen(name) >= IF_NAMESIZE || !if_nametoindex(name))
		return no_interface(name);
	error = balancer_attach(ask->balancer, name, mode, &diag);
	if (error)
		return api_refuse_diag(attach_status(error), &diag);
	attachment = balancer_attachment(ask->balancer, name);
	return api_reply(json_pack("{s:o}", "attached",
				   attachment ? view_attachment(attachment) : json_null()));
}

struct api_answer api_post_detach(const struct api_ask *ask)
{
	const char *name = json_string_value(ask->members[0]);
	struct diag diag = {};
	struct api_list list = {};
	int error;

	if (!balancer_attachment(ask->balancer, name)) {
		for (size_t i = 0; i < ask->balancer->n_attachments; i++)
			api_list_add(&list, ask->balancer->attachments[i].name);
		return api_refuse(MHD_HTTP_NOT_FOUND,
				  "sluice is not attached to \"%s\"; it is attached to: %s", name,
				  api_list_text(&list));
	}
	error = balancer_detach(ask->balancer, name, &diag);
	if (error)
		return api_refuse_diag(attach_status(error), &diag);
	return api_reply(json_pack("{s:o}", "detached", view_text(name)));
}

/* ---- the configuration ------------------------------------------------- */

static struct api_answer answer_change(const struct balancer_change *change)
{
	return api_reply(json_pack(
		"{s:I, s:I, s:I, s:I, s:I}", "services", (json_int_t)change->services, "backends",
		(json_int_t)change->backends, "added", (json_int_t)change->added, "removed",
		(json_int_t)change->removed, "changed", (json_int_t)change->changed));
}

struct api_answer api_post_reload(const struct api_ask *ask)
{
	struct balancer_change change = {};
	struct diag diag = {};
	int error = balancer_reload(ask->balancer, &diag, &change);

	return error ? api_refuse_config(error, &diag) : answer_change(&change);
}

static bool is_config_type(const char *type)
{
	size_t length = strlen(SL_API_CONFIG_TYPE);

	return type && strncasecmp(type, SL_API_CONFIG_TYPE, length) == 0 &&
	       (!type[length] || strchr("; \t", type[length]));
}

struct api_answer api_post_check(const struct api_ask *ask)
{
	const struct api_call *call = ask->call;
	const char *text = call->length ? call->body : NULL;
	char name[API_SEGMENT_SIZE] = "request";
	struct balancer_change change = {};
	struct diag diag = {};
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
	return error ? api_refuse_config(error, &diag) : answer_change(&change);
}

struct api_answer api_get_config(const struct api_ask *ask)
{
	struct api_answer answer = { .status = MHD_HTTP_OK };

	(void)config_write(ask->balancer->config, &answer.text);
	return answer;
}

/* A file that says all there is already keeps its comments. */
struct api_answer api_post_save(const struct api_ask *ask)
{
	size_t n_changes = ask->balancer->n_edits;
	struct diag diag = {};
	int error = n_changes ? balancer_save(ask->balancer, &diag) : 0;

	if (error)
		return api_refuse_diag(MHD_HTTP_INTERNAL_SERVER_ERROR, &diag);
	return api_reply(json_pack("{s:o, s:I}", "file",
				   view_text(ask->balancer->options.config_path), "changes",
				   (json_int_t)n_changes));
}
