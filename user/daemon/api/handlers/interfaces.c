// SPDX-License-Identifier: BSD-2-Clause
/* Attaching to interfaces, and detaching from them. */
#include "daemon/core/interfaces.h"

#include <errno.h>
#include <microhttpd.h>
#include <net/if.h>
#include <string.h>

#include "daemon/api/handlers/handlers.h"
#include "daemon/api/view/view.h"
#include "daemon/core/balancer.h"
#include "lib/base/diag.h"

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

/* 404: there is no such interface. 409: it is in a state that forbids the change. */
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

static struct api_answer post_attach(const struct api_ask *ask)
{
	const char *name = api_text(ask, "interface");
	const char *mode_name = api_text(ask, "mode");
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
	api_log_change(ask, "the program attached to %s, mode %s", name, config_mode_name(mode));
	return api_reply(json_pack("{s:o}", "attached",
				   attachment ? view_attachment(attachment) : json_null()));
}

static struct api_answer post_detach(const struct api_ask *ask)
{
	const char *name = api_text(ask, "interface");
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
	api_log_change(ask, "the program detached from %s", name);
	return api_reply(json_pack("{s:o}", "detached", view_text(name)));
}

const struct api_route handlers_interfaces[] = {
	{ "POST", "/v1/attach", post_attach, .takes = API_TAKES_MEMBERS,
	  .members = { { "interface", .type = API_TEXT, .required = true },
		       { "mode", .type = API_TEXT } } },
	{ "POST", "/v1/detach", post_detach, .takes = API_TAKES_MEMBERS,
	  .members = { { "interface", .type = API_TEXT, .required = true } } },
	{},
};
