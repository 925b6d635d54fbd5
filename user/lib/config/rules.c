// SPDX-License-Identifier: BSD-2-Clause
/* Rules over the whole configuration: Settings that each look fine and cannot all
 * be granted. The configuration tells the values, the tree beside it (if it
 * comes from a file) the places.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/base/yield.h"
#include "lib/config/rules.h"

struct rules {
	struct diag *diag;
	const struct backend_config *changed;
	struct claims services;
	struct claims addresses; /* of services */
	struct claims backends;
	int kept; /* -DIAG_KEPT: there are errors in diag's list */
};

static const char *protocol_of(const struct claim *claim)
{
	return config_proto_name(claim->service->proto);
}

static const char *show_endpoint(const struct claim *claim, char buffer[static ENDPOINT_TEXT_SIZE])
{
	return endpoint_format(&claim->ip, claim->port, buffer);
}

#define LINE_TEXT_SIZE 24

/* " (line 7)"; nothing for what is in no file. */
static const char *show_line(const struct claim *claim, char buffer[static LINE_TEXT_SIZE])
{
	unsigned line = claim->backend ? claim->backend->line : claim->service->line;

	buffer[0] = 0;
	if (line)
		(void)snprintf(buffer, LINE_TEXT_SIZE, " (line %u)", line);
	return buffer;
}

/* ---- rules between services --------------------------------------------- */

/* A kind of claim of which there must not be two, and the sentence about a second one; 0: this
 * second one may be.
 */
struct unique {
	struct claims *claims;
	claim_compare_fn *compare;
	int (*refuse)(struct diag *diag, const struct claim *repeat, const struct claim *first);
};

static int check_unique(const struct rules *rules, const struct unique *unique)
{
	const struct claim *repeat = NULL, *first = NULL;
	int kept = 0, error;

	claims_sort(unique->claims, unique->compare);
	while ((repeat = claims_next_repeat(unique->claims, unique->compare, repeat, &first))) {
		error = unique->refuse(rules->diag, repeat, first);
		if (error && !diag_keep(rules->diag, error))
			return error;
		kept = error ? -DIAG_KEPT : kept;
	}
	return kept;
}

static int refuse_name(struct diag *diag, const struct claim *repeat, const struct claim *first)
{
	return claim_error(diag, repeat, "name",
			   "the service in line %u has this name too; each needs its own",
			   first->service->line);
}

/* Two services of a group are no mistake, unless they know clients by different prefixes. */
static int refuse_group(struct diag *diag, const struct claim *repeat, const struct claim *first)
{
	const struct affinity_config *one = &first->service->affinity;
	const struct affinity_config *other = &repeat->service->affinity;
	char line[LINE_TEXT_SIZE];

	if (one->prefix_v4 == other->prefix_v4 && one->prefix_v6 == other->prefix_v6)
		return 0;
	return claim_error(diag, repeat, "affinity",
			   "the service \"%s\"%s is of the group \"%s\" too, with prefix_v4 %u and "
			   "prefix_v6 %u; services of a group need the same prefixes",
			   first->service->name, show_line(first, line), one->group, one->prefix_v4,
			   one->prefix_v6);
}

static int refuse_address(struct diag *diag, const struct claim *repeat, const struct claim *first)
{
	char text[ENDPOINT_TEXT_SIZE], line[LINE_TEXT_SIZE];

	return claim_error(diag, repeat, NULL,
			   "%s/%s is already the service \"%s\"%s; one address, port and "
			   "protocol is one service",
			   show_endpoint(repeat, text), protocol_of(repeat), first->service->name,
			   show_line(first, line));
}

static int refuse_backend(struct diag *diag, const struct claim *repeat, const struct claim *first)
{
	char text[ENDPOINT_TEXT_SIZE], line[LINE_TEXT_SIZE];

	return claim_error(diag, repeat, "address",
			   "%s is already the backend \"%s\"%s; to give it a larger "
			   "share, raise its weight",
			   show_endpoint(repeat, text), first->backend->name,
			   show_line(first, line));
}

static int refuse_backend_name(struct diag *diag, const struct claim *repeat,
			       const struct claim *first)
{
	char text[ENDPOINT_TEXT_SIZE], line[LINE_TEXT_SIZE];

	return claim_error(diag, repeat, "name",
			   "the backend %s%s is called \"%s\" too; each needs a name of "
			   "its own",
			   show_endpoint(first, text), show_line(first, line),
			   first->backend->name);
}

/* A packet is balanced once: what is sent to a backend must not be for a
 * service again. The addresses are sorted by endpoint.
 */
static int check_chains(const struct rules *rules)
{
	char text[ENDPOINT_TEXT_SIZE], line[LINE_TEXT_SIZE];
	int kept = 0, error;

	for (size_t i = 0; i < rules->backends.n; i++) {
		const struct claim *backend = &rules->backends.items[i];
		const struct claim *address;

		yield_point();
		address = bsearch(backend, rules->addresses.items, rules->addresses.n,
				  sizeof(*backend), claim_compare_endpoint);
		if (!address)
			continue;
		error = claim_error(rules->diag, backend, "address",
				    "%s/%s is the service \"%s\"%s, not a server; a packet "
				    "is balanced once",
				    show_endpoint(backend, text), protocol_of(backend),
				    address->service->name, show_line(address, line));
		if (!diag_keep(rules->diag, error))
			return error;
		kept = -DIAG_KEPT;
	}
	return kept;
}

static int refuse_return(struct diag *diag, const struct claim *repeat, const struct claim *first)
{
	char text[ENDPOINT_TEXT_SIZE], line[LINE_TEXT_SIZE];

	if (repeat->service == first->service)
		return -DIAG_KEPT; /* refuse_backend() has been told */
	return claim_error(
		diag, repeat, "address",
		"%s/%s is a backend of the nat service \"%s\" too%s; the way back is found by "
		"the backend's address and port without per-flow state, and leads to one "
		"service: let the server listen on another port for this one, or use dsr or ipip",
		show_endpoint(repeat, text), protocol_of(repeat), first->service->name,
		show_line(first, line));
}

/* The replies of a backend are attributed to its service by the backend's endpoint alone,
 * so an endpoint belongs to one service. Keeps in rules->backends those alone whose replies
 * come back through the balancer.
 */
static int check_returning_backends(struct rules *rules)
{
	const struct unique unique = { &rules->backends, claim_compare_endpoint, refuse_return };
	size_t n = 0;

	for (size_t i = 0; i < rules->backends.n; i++) {
		if (sl_forward_returns(rules->backends.items[i].service->forward))
			rules->backends.items[n++] = rules->backends.items[i];
	}
	rules->backends.n = n;
	return check_unique(rules, &unique);
}

/* ---- the walk ------------------------------------------------------------ */

static const struct node *next_of(const struct node *node)
{
	return node ? node->next : NULL;
}

/* The first item of a list, or what stands for a list of one. */
static const struct node *first_of(const struct node *node)
{
	return node && node->kind == NODE_LIST ? node->first : node;
}

/* Errors that are kept do not end the walk. */
static int go_on(struct rules *rules, int error)
{
	if (error != -DIAG_KEPT)
		return error;
	rules->kept = error;
	return 0;
}

/* Takes a claim down, unless it has an error of its own. */
static int take(struct rules *rules, struct claims *claims, int error)
{
	if (!error)
		claims->n++;
	else if (diag_keep(rules->diag, error))
		rules->kept = -DIAG_KEPT;
	else
		return error;
	return 0;
}

static int take_addresses(struct rules *rules, const struct service_config *service,
			  const struct node *node)
{
	struct claims *claims = &rules->addresses;
	int error = 0;

	for (size_t i = 0; i < service->n_addresses && !error; i++, node = next_of(node)) {
		struct claim *claim = &claims->items[claims->n];

		*claim = (struct claim){ .service = service,
					 .node = node,
					 .place = claims->n,
					 .ip = service->addresses[i],
					 .port = service->port };
		error = take(rules, claims, rules_check_address(rules->diag, claim, i));
	}
	return error;
}

static int take_backends(struct rules *rules, const struct service_config *service,
			 const struct node *node)
{
	struct claims *claims = &rules->backends;
	int error = 0;

	for (size_t i = 0; i < service->n_backends && !error; i++, node = next_of(node)) {
		struct claim *claim = &claims->items[claims->n];

		yield_point();
		*claim = (struct claim){ .service = service,
					 .backend = &service->backends[i],
					 .node = node,
					 .place = claims->n,
					 .ip = service->backends[i].ip,
					 .port = service->backends[i].port,
					 .changed = rules->changed == &service->backends[i] };
		error = take(rules, claims, rules_check_backend(rules->diag, claim));
	}
	return error;
}

/* Takes down all claims, and checks what concerns one service alone. */
static int take_services(struct rules *rules, const struct config *config, const struct node *root)
{
	const struct node *node = first_of(node_get(root, "services"));
	struct claims *claims = &rules->services;
	int error = 0;

	for (size_t i = 0; i < config->n_services && !error; i++, node = next_of(node)) {
		const struct service_config *service = &config->services[i];
		struct claim *claim = &claims->items[claims->n];

		if (service->faulty)
			continue;
		*claim = (struct claim){ .service = service, .node = node, .place = claims->n };
		error = take(rules, claims,
			     rules_check_service(rules->diag, claim, config->n_services));
		if (!error)
			error = take_addresses(rules, service, first_of(node_get(node, "address")));
		if (!error)
			error = take_backends(rules, service, first_of(node_get(node, "backends")));
	}
	return error;
}

/* Keeps the order in which check_unique() has left the services, and the backends, which stand
 * in the order of their services, for those who look for a name.
 */
static int sort_by_name(const struct rules *rules, struct config *config)
{
	const struct backend_config **next;

	config->by_name = calloc(rules->services.n, sizeof(*config->by_name));
	next = calloc(rules->backends.n, sizeof(*next));
	config->backends_by_name = next;
	if (!config->by_name || !next)
		return diag_no_memory(rules->diag);
	for (size_t i = 0; i < rules->services.n; i++)
		config->by_name[i] = rules->services.items[i].service;
	for (size_t i = 0; i < rules->backends.n; i++)
		next[i] = rules->backends.items[i].backend;
	for (size_t i = 0; i < config->n_services; i++) {
		config->services[i].by_name = next;
		next += config->services[i].n_backends;
	}
	return 0;
}

static int check_all(struct rules *rules, struct config *config, const struct node *root)
{
	const struct unique uniques[] = {
		{ &rules->services, claim_compare_group, refuse_group },
		{ &rules->services, claim_compare_service, refuse_name },
		{ &rules->addresses, claim_compare_endpoint, refuse_address },
		{ &rules->backends, claim_compare_own_endpoint, refuse_backend },
		{ &rules->backends, claim_compare_own_name, refuse_backend_name },
	};
	int error = take_services(rules, config, root);

	for (size_t i = 0; i < ARRAY_SIZE(uniques) && !error; i++)
		error = go_on(rules, check_unique(rules, &uniques[i]));
	/* Before check_returning_backends() sorts them otherwise. */
	if (!error && !rules->kept)
		error = sort_by_name(rules, config);
	return error ?: go_on(rules, check_chains(rules))
		     ?: go_on(rules, check_returning_backends(rules)) ?: rules->kept;
}

static void rules_done(struct rules *rules)
{
	free(rules->services.items);
	free(rules->addresses.items);
	free(rules->backends.items);
}

static int make_room(struct rules *rules, const struct config *config)
{
	size_t n_addresses = 0;
	size_t n_backends = 0;

	for (size_t i = 0; i < config->n_services; i++) {
		n_addresses += config->services[i].n_addresses;
		n_backends += config->services[i].n_backends;
	}
	if (n_backends > CONFIG_BACKENDS_MAX)
		return diag_set(rules->diag, EINVAL,
				"%zu backends are too many; at most %d in all "
				"services",
				n_backends, CONFIG_BACKENDS_MAX);
	rules->services.items = calloc(config->n_services + 1, sizeof(struct claim));
	rules->addresses.items = calloc(n_addresses + 1, sizeof(struct claim));
	rules->backends.items = calloc(n_backends + 1, sizeof(struct claim));
	if (!rules->services.items || !rules->addresses.items || !rules->backends.items)
		return diag_no_memory(rules->diag);
	return 0;
}

int config_check_rules(struct config *config, const struct node *root,
		       const struct backend_config *changed, struct diag *diag)
{
	_cleanup_(rules_done) struct rules rules = { .diag = diag, .changed = changed };
	int error;

	if (!config->n_services)
		return 0;
	error = make_room(&rules, config);
	if (!error)
		error = check_all(&rules, config, root);
	return error;
}
