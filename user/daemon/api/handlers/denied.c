/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The prefixes that the operator denies at run time. Invariant: never all addresses.
 */
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api/find.h"
#include "daemon/api/handlers/handlers.h"
#include "daemon/api/view/limits.h"
#include "daemon/api/view/parts.h"
#include "daemon/api/view/prefix_match.h"
#include "daemon/clock.h"
#include "daemon/core/balancer.h"
#include "daemon/core/denied.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/base/prefix.h"
#include "lib/base/units.h"
#include "lib/config/config.h"
#include "sluice/api.h"

static struct api_answer get_denied(const struct api_ask *ask)
{
	struct api_answer refusal;
	size_t lines;

	if (!api_find_lines(ask, &lines, &refusal))
		return refusal;
	return api_reply(view_denied(ask->balancer, lines));
}

/* ---- a prefix ---------------------------------------------------------- */

/* False: *ret_refusal. */
static bool take_prefix(const char *text, struct prefix *ret_prefix, struct api_answer *ret_refusal)
{
	char fault[PREFIX_FAULT_SIZE];
	const char *words;

	if (prefix_parse(text, ret_prefix) == 0)
		return true;
	words = prefix_fault(text, fault);
	*ret_refusal = words ? api_refuse(MHD_HTTP_BAD_REQUEST, "%s", words)
			     : api_refuse(MHD_HTTP_BAD_REQUEST,
					  "\"%.64s\" is not a prefix or an address, such as "
					  "203.0.113.0/24, 203.0.113.7 or 2001:db8::/32",
					  text);
	return false;
}

static bool take_time(const char *text, unsigned *ret_seconds, struct api_answer *ret_refusal)
{
	unsigned long long ms = 0;

	if (text && (duration_parse(text, &ms) < 0 || ms < SL_API_TIME_LEAST_MS ||
		     ms > SL_API_TIME_MOST_MS)) {
		*ret_refusal = api_refuse(MHD_HTTP_BAD_REQUEST,
					  "\"for\" must be a duration from 1s to 720h, such as "
					  "30s, 10m or 2h, not \"%.64s\"",
					  text);
		return false;
	}
	*ret_seconds = (unsigned)((ms + 999) / 1000);
	return true;
}

/* ---- changing ---------------------------------------------------------- */

static struct api_answer refuse_everybody(const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];

	return api_refuse(MHD_HTTP_BAD_REQUEST,
			  "%s would deny everybody: to take a service off, remove it from the "
			  "configuration and reload, or disable its backends",
			  prefix_format_short(prefix, text));
}

static struct api_answer post_denied(const struct api_ask *ask)
{
	const char *time = api_text(ask, "for");
	struct api_answer refusal;
	char text[PREFIX_TEXT_SIZE];
	struct diag diag = {};
	struct prefix prefix;
	unsigned seconds;
	int error;

	if (!take_prefix(api_text(ask, "prefix"), &prefix, &refusal) ||
	    !take_time(time, &seconds, &refusal))
		return refusal;
	if (!prefix.bits)
		return refuse_everybody(&prefix);
	error = balancer_deny(ask->balancer,
			      &(struct denial){
				      .prefix = prefix,
				      .ends_ms = seconds ? clock_wall_ms() + seconds * 1000ULL : 0,
				      .made_ms = clock_wall_ms(),
				      .author = author_of_socket(ask->call->fd),
			      },
			      seconds, &diag);
	if (error)
		return api_refuse_config(error, &diag);
	api_log_change(ask, "%s is denied by the operator%s%s", prefix_format_short(&prefix, text),
		       time ? ", for " : "", time ?: "");
	return api_reply(json_pack("{s:o, s:o}", "prefix", view_prefix(&prefix), "ends_in_s",
				   seconds ? json_integer(seconds) : json_null()));
}

static struct api_answer not_denied(const struct balancer *balancer, const struct prefix *prefix)
{
	_cleanup_(cleanup_free) struct denied *denied = NULL;
	const struct prefix *configured = view_longest(&balancer->config->access.deny, &prefix->ip);
	bool same = configured && prefix_compare(configured, prefix) == 0;
	struct api_list list = {};
	char text[PREFIX_TEXT_SIZE];
	size_t n = 0;

	if (balancer_denied(balancer, &denied, &n) < 0)
		return api_reply(NULL);
	for (size_t i = 0; i < n; i++)
		api_list_add(&list, prefix_format_short(&denied[i].prefix, text));
	return api_refuse(MHD_HTTP_NOT_FOUND, "%s is not denied at run time%s; these are: %s",
			  prefix_format_short(prefix, text),
			  same ? ", but by the configuration: change it there and reload" : "",
			  api_list_text(&list));
}

static struct api_answer delete_denied(const struct api_ask *ask)
{
	struct api_answer refusal;
	char text[PREFIX_TEXT_SIZE];
	struct prefix prefix;
	struct diag diag = {};
	int error;

	if (!take_prefix(api_name(ask, "prefix"), &prefix, &refusal))
		return refusal;
	error = balancer_undeny(ask->balancer, &prefix, &diag);
	if (error == -ENOENT)
		return not_denied(ask->balancer, &prefix);
	if (error)
		return api_refuse_config(error, &diag);
	api_log_change(ask, "%s is not denied by the operator any more",
		       prefix_format_short(&prefix, text));
	return api_reply(json_pack("{s:o}", "removed", view_prefix(&prefix)));
}

const struct api_route handlers_denied[] = {
	{ "GET", "/v1/denied", .handle = get_denied },
	{ "POST", "/v1/denied", post_denied, .takes = API_TAKES_MEMBERS,
	  .members = { { "prefix", .type = API_TEXT, .required = true },
		       { "for", .type = API_TEXT } } },
	{ "DELETE", "/v1/denied/{prefix}", delete_denied, .takes = API_TAKES_MEMBERS },
	{},
};
