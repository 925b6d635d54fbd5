// SPDX-License-Identifier: BSD-2-Clause
/* A warning is a function here and its row in one of the two lists at the end. It says at
 * which key the cause stands, and what follows from it.
 */
#include "lib/config/warnings.h"

#include <netinet/in.h>
#include <stdio.h>

#include "lib/base/array.h"
#include "lib/config/read.h"

/* What a warning may look at: the whole file, and one service of it. */
struct view {
	const struct diag *diag;
	const struct config *config;
	const struct service_config *service; /* NULL: it is about the whole file */
	const struct node *node;              /* the map of either */
};

typedef void warn_fn(const struct view *view);

/* Where the key stands, or the map where it does not. */
static const struct node *place_of(const struct view *view, const char *key)
{
	const struct node *value = node_get(view->node, key);

	return value ? value : view->node;
}

static void warn_no_new_connections(const struct view *view)
{
	const struct service_config *service = view->service;
	size_t n_weightless = 0, n_down = 0, n_either = 0;

	for (size_t i = 0; i < service->n_backends; i++) {
		const struct backend_config *backend = &service->backends[i];

		n_weightless += !backend->weight;
		n_down += backend->admin_state != ADMIN_UP;
		n_either += !backend->weight || backend->admin_state != ADMIN_UP;
	}
	if (n_either < service->n_backends)
		return;
	node_warn(view->diag, place_of(view, "backends"),
		  "%s, so the service takes no new connections",
		  n_weightless == service->n_backends ? "all weights are 0"
		  : n_down == service->n_backends
			  ? "all backends are drained or disabled"
			  : "each backend is drained, disabled or of weight 0");
}

static const struct prefix *find_all(const struct prefix_list *list, __u8 family)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->prefixes[i].ip.family == family && !list->prefixes[i].bits)
			return &list->prefixes[i];
	return NULL;
}

static bool has_family(const struct prefix_list *list, __u8 family)
{
	bool has = false;

	for (size_t i = 0; i < list->n && !has; i++)
		has = list->prefixes[i].ip.family == family;
	return has;
}

/* A prefix of `allow` is longer, and so decides for its sources. */
static void warn_denied(const struct view *view, const struct access_config *access, __u8 family)
{
	const struct prefix *all = find_all(&access->deny, family);
	char text[PREFIX_TEXT_SIZE];

	if (all && !has_family(&access->allow, family))
		node_warn(view->diag, place_of(view, "deny"),
			  "%s denies every IPv%u source, and allow has none",
			  prefix_format(all, text), family);
}

static void warn_access(const struct view *view)
{
	const struct access_config *access =
		view->service ? &view->service->access : &view->config->access;

	warn_denied(view, access, SL_FAMILY_IPV4);
	warn_denied(view, access, SL_FAMILY_IPV6);
}

static void warn_exempt(const struct view *view)
{
	const struct node *limits = node_get(view->node, "limit");
	const struct node *item = limits && limits->kind == NODE_LIST ? limits->first : limits;
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < view->service->n_limits && item; i++, item = item->next) {
		const struct prefix_list *exempt = &view->service->limits[i].exempt;
		const struct node *value = node_get(item, "exempt");
		const struct prefix *all =
			find_all(exempt, SL_FAMILY_IPV4) ?: find_all(exempt, SL_FAMILY_IPV6);

		if (all)
			node_warn(view->diag, value ? value : item,
				  "%s exempts every IPv%u source from the limit",
				  prefix_format(all, text), all->ip.family);
	}
}

static bool is_slow(const struct check_config *check)
{
	return check->type != CHECK_NONE && check->timeout_ms > check->interval_ms;
}

static void say_slow(const struct view *view, const struct node *check,
		     const struct check_config *config)
{
	const struct node *timeout = node_get(check, "timeout");

	node_warn(view->diag, timeout ? timeout : check,
		  "the timeout of %u ms is longer than the interval of %u ms, so a backend that "
		  "does not answer is checked less often than the interval says",
		  config->timeout_ms, config->interval_ms);
}

/* A service that says nothing of its check has the one under defaults. */
static void warn_timeout(const struct view *view)
{
	const struct node *check = node_get(view->node, "check");

	if (check && is_slow(&view->service->check))
		say_slow(view, check, &view->service->check);
}

static void warn_default_timeout(const struct view *view)
{
	const struct node *check = node_get(node_get(view->node, "defaults"), "check");
	const struct node *service = node_get(view->node, "services");

	service = service && service->kind == NODE_LIST ? service->first : NULL;
	for (size_t i = 0; check && service && i < view->config->n_services;
	     i++, service = service->next) {
		const struct service_config *config = &view->config->services[i];

		if (!config->faulty && !node_get(service, "check") && is_slow(&config->check))
			return say_slow(view, check, &config->check);
	}
}

/* A backend's own datagram from its service's port is taken for a reply, unless the flows of the
 * service say that it is none.
 */
static bool takes_for_replies(const struct service_config *service)
{
	return !service->faulty && service->forward == SL_FORWARD_NAT &&
	       service->proto == IPPROTO_UDP && !config_tracks(service);
}

#define UDP_NAMED 3 /* services that a warning names */

/* One warning for all of them: most servers ask from other ports, and need none. */
static void warn_own_udp(const struct view *view)
{
	const struct node *list = node_get(view->node, "services"), *first = NULL;
	const struct node *service = list && list->kind == NODE_LIST ? list->first : NULL;
	char names[UDP_NAMED * (CONFIG_NAME_MAX + 2) + 32] = "";
	size_t n = 0, used = 0;

	for (size_t i = 0; service && i < view->config->n_services; i++, service = service->next) {
		const struct service_config *config = &view->config->services[i];

		if (!takes_for_replies(config))
			continue;
		first = first ?: service;
		if (n++ < UDP_NAMED)
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 n > 1 ? ", " : "", config->name);
	}
	if (n > UDP_NAMED)
		(void)snprintf(names + used, sizeof(names) - used, " and %zu more", n - UDP_NAMED);
	if (n)
		node_warn(view->diag, node_get(first, "protocol") ?: first,
			  "datagrams that a backend sends from its service's port count as "
			  "replies, its own questions (DNS, NTP, SIP) too; that is so in %s; "
			  "sluice.yaml(5), nat, has the cures",
			  names);
}

static warn_fn *const of_file[] = { warn_access, warn_default_timeout, warn_own_udp };

static warn_fn *const of_services[] = {
	warn_no_new_connections,
	warn_access,
	warn_exempt,
	warn_timeout,
};

void config_warn(const struct config *config, const struct node *root, const struct diag *diag)
{
	const struct node *services = node_get(root, "services");
	const struct view file = { .diag = diag, .config = config, .node = root };
	const struct node *node = services && services->kind == NODE_LIST ? services->first : NULL;

	for (size_t k = 0; k < ARRAY_SIZE(of_file); k++)
		of_file[k](&file);
	for (size_t i = 0; node && i < config->n_services; i++, node = node->next) {
		const struct view view = {
			.diag = diag,
			.config = config,
			.service = &config->services[i],
			.node = node,
		};

		for (size_t k = 0; k < ARRAY_SIZE(of_services) && !view.service->faulty; k++)
			of_services[k](&view);
	}
}
