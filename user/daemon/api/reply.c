/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pure.
 */
#include "daemon/api/reply.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/api/view/view.h"
#include "lib/base/diag.h"

struct api_answer api_reply(json_t *body)
{
	return (struct api_answer){ .status = MHD_HTTP_OK, .body = body };
}

struct api_answer api_refuse(unsigned status, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return (struct api_answer){ .status = status,
				    .body = json_pack("{s:o}", "error", view_text(text)) };
}

struct api_answer api_refuse_diag(unsigned status, const struct diag *diag)
{
	struct api_answer refusal = api_refuse(status, "%s", diag->text);

	view_add_place(refusal.body, diag);
	if (diag->list && diag->list->n_errors)
		(void)json_object_set_new(refusal.body, "errors", view_findings(diag->list, false));
	if (diag->list)
		(void)json_object_set_new(refusal.body, "warnings",
					  view_findings(diag->list, true));
	return refusal;
}

/* A configuration that is right in itself may still not fit this machine or the maps
 * that are in use: an interface is missing or taken, the maps are too small. Or it would
 * remove all that runs. A change that cannot be kept is refused, too.
 */
static unsigned config_status(int error, const struct diag *diag)
{
	switch (-error) {
	case ENODEV:
	case EBUSY:
	case EEXIST:
	case EOPNOTSUPP:
	case ENOSPC:
	case ENOTEMPTY:
		return MHD_HTTP_CONFLICT;
	case EIO:
		return MHD_HTTP_INSUFFICIENT_STORAGE;
	}
	if (error == -EINVAL || diag->file[0])
		return MHD_HTTP_UNPROCESSABLE_CONTENT;
	return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

struct api_answer api_refuse_config(int error, const struct diag *diag)
{
	return api_refuse_diag(config_status(error, diag), diag);
}

void api_list_add(struct api_list *list, const char *name)
{
	size_t used = strlen(list->text);

	if (used + strlen(name) + sizeof(", ") > sizeof(list->text) - sizeof(" and 65536 more")) {
		list->left_out++;
		return;
	}
	(void)snprintf(list->text + used, sizeof(list->text) - used, "%s%s", list->n++ ? ", " : "",
		       name);
}

const char *api_list_text(struct api_list *list)
{
	size_t used = strlen(list->text);

	if (list->left_out)
		(void)snprintf(list->text + used, sizeof(list->text) - used, " and %zu more",
			       list->left_out);
	return list->text[0] ? list->text : "none";
}
