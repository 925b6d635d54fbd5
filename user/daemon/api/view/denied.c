/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Access lists as JSON, and the lists that deny an address. Only reads.
 */
#include <jansson.h>

#include "daemon/api/view/limits.h"
#include "daemon/api/view/parts.h"
#include "daemon/api/view/prefix_match.h"
#include "daemon/core/balancer.h"
#include "daemon/core/denied.h"
#include "daemon/core/service.h"
#include "lib/base/cleanup.h"
#include "lib/config/config.h"

#define ALL_SERVICES "all services" /* no service can have this name */

/* ---- one address ------------------------------------------------------- */

/* Takes the reference of reason. */
static json_t *denial(const char *scope, const char *by, json_t *reason, json_t *ends)
{
	return json_pack("{s:s, s:s, s:o, s:o}", "scope", scope, "by", by, "reason", reason,
			 "ends_in_s", ends);
}

static json_t *in_prefix(const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];

	return json_sprintf("in %s", prefix_format(prefix, text));
}

static json_t *ends_in(const struct denied *denied)
{
	return denied->seconds ? json_integer(denied->seconds) : json_null();
}

static int add_configured(json_t *rows, const char *scope, const struct access_config *access,
			  const struct ip *ip)
{
	const struct prefix *allow = view_longest(&access->allow, ip);
	const struct prefix *deny = view_longest(&access->deny, ip);
	json_t *reason;

	if (deny && (!allow || deny->bits >= allow->bits))
		reason = in_prefix(deny);
	else if (!allow && access->allow.n)
		reason = json_string("not among the allowed");
	else
		return 0;
	return json_array_append_new(rows, denial(scope, "configuration", reason, json_null()));
}

static int add_runtime(json_t *rows, const struct balancer *balancer, const struct ip *ip)
{
	_cleanup_(cleanup_free) struct denied *denied = NULL;
	const struct denied *longest = NULL;
	size_t n;

	if (balancer_denied(balancer, &denied, &n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (view_covers(&denied[i].prefix, ip) &&
		    (!longest || denied[i].prefix.bits > longest->prefix.bits))
			longest = &denied[i];
	if (!longest)
		return 0;
	return json_array_append_new(rows, denial(ALL_SERVICES, "run time",
						  in_prefix(&longest->prefix), ends_in(longest)));
}

json_t *view_denials(const struct balancer *balancer, const struct ip *ip)
{
	const struct config *config = balancer->config;
	_cleanup_(json_decrefp) json_t *rows = json_array();
	int error = add_runtime(rows, balancer, ip);

	if (!error)
		error = add_configured(rows, ALL_SERVICES, &config->access, ip);
	for (size_t i = 0;
	     !error && i < config->n_services && json_array_size(rows) < VIEW_ROWS_MAX; i++)
		if (service_has_family(balancer->services[i], ip->family))
			error = add_configured(rows, config->services[i].name,
					       &config->services[i].access, ip);
	return error ? NULL : TAKE_PTR(rows);
}

/* ---- all of them ------------------------------------------------------- */

json_t *view_access(const struct access_config *access)
{
	if (!access->allow.n && !access->deny.n)
		return json_null();
	return json_pack("{s:I, s:I}", "allow", (json_int_t)access->allow.n, "deny",
			 (json_int_t)access->deny.n);
}

static int add_counts(json_t *rows, const char *scope, const struct access_config *access)
{
	if (!access->allow.n && !access->deny.n)
		return 0;
	return json_array_append_new(rows, json_pack("{s:s, s:I, s:I}", "scope", scope, "allow",
						     (json_int_t)access->allow.n, "deny",
						     (json_int_t)access->deny.n));
}

static json_t *view_configured(const struct config *config)
{
	_cleanup_(json_decrefp) json_t *rows = json_array();
	int error = add_counts(rows, ALL_SERVICES, &config->access);

	for (size_t i = 0; !error && i < config->n_services; i++)
		error = add_counts(rows, config->services[i].name, &config->services[i].access);
	return error ? NULL : TAKE_PTR(rows);
}

/* A prefix, and who denied it when. */
static json_t *view_row(const struct balancer *balancer, const struct denied *denied)
{
	const struct denial *denial = balancer_denial(balancer, &denied->prefix);
	json_t *row = json_pack("{s:o, s:o}", "prefix", view_prefix(&denied->prefix), "ends_in_s",
				ends_in(denied));

	return denial ? view_merge(row, view_author(&denial->author, denial->made_ms)) : row;
}

json_t *view_denied(const struct balancer *balancer, size_t rows)
{
	_cleanup_(cleanup_free) struct denied *denied = NULL;
	_cleanup_(json_decrefp) json_t *array = json_array();
	size_t n;

	if (balancer_denied(balancer, &denied, &n) < 0)
		return NULL;
	for (size_t i = 0; i < n && i < rows; i++)
		if (json_array_append_new(array, view_row(balancer, &denied[i])) < 0)
			return NULL;
	return json_pack("{s:o, s:I, s:o}", "denied", TAKE_PTR(array), "more",
			 (json_int_t)(n > rows ? n - rows : 0), "configured",
			 view_configured(balancer->config));
}
