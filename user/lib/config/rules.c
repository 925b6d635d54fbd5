// SPDX-License-Identifier: BSD-2-Clause
/* Rules over the whole configuration: Settings that each look fine and cannot all
 * be granted. The configuration tells the values, the tree beside it (if it
 * comes from a file) the places.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/rules.h"

struct rules {
	struct diag *diag;
	const struct backend_config *changed;
	struct claims services;
	struct claims addresses; /* of services */
	struct claims backends;
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

static int check_services(struct rules *rules)
{
	const struct claim *first, *repeat;
	char text[ENDPOINT_TEXT_SIZE], line[LINE_TEXT_SIZE];

	repeat = claims_find_repeat(&rules->services, claim_compare_service, &first);
	if (repeat)
		return claim_error(rules->diag, repeat, "name",
				   "the service in line %u has this name too; each needs its own",
				   first->service->line);
	repeat = claims_find_repeat(&rules->addresses, claim_compare_endpoint, &first);
	if (repeat)
		return claim_error(rules->diag, repeat, NULL,
				   "%s/%s is already the service \"%s\"%s; one address, port and "
				   "protocol is one service",
				   show_endpoint(repeat, text), protocol_of(repeat),
				   first->service->name, show_line(first, line));
	return 0;
}

static int check_backends(struct rules *rules)
{
	const struct claim *first, *repeat;
	char text[ENDPOINT_TEXT_SIZE], line[LINE_TEXT_SIZE];

	repeat = claims_find_repeat(&rules->backends, claim_compare_own_endpoint, &first);
	if (repeat)
		return claim_error(rules->diag, repeat, "address",
				   "%s is already the backend \"%s\"%s; to give it a larger "
				   "share, raise its weight",
				   show_endpoint(repeat, text), first->backend->name,
				   show_line(first, line));
	repeat = claims_find_repeat(&rules->backends, claim_compare_own_name, &first);
	if (repeat)
		return claim_error(rules->diag, repeat, "name",
				   "the backend %s%s is called \"%s\" too; each needs a name of "
				   "its own",
				   show_endpoint(first, text), show_line(first, line),
				   first->backend->name);
	return 0;
}

/* A packet is balanced once: what is sent to a backend must not be for a
 * service again. The addresses are sorted by endpoint.
 */
static int check_chains(const struct rules *rules)
{
	char text[ENDPOINT_TEXT_SIZE], line[LINE_TEXT_SIZE];

	for (size_t i = 0; i < rules->backends.n; i++) {
		const struct claim *backend = &rules->backends.items[i];
		const struct claim *address;

		address = bsearch(backend, rules->addresses.items, rules->addresses.n,
				  sizeof(*backend), claim_compare_endpoint);
		if (address)
			return claim_error(rules->diag, backend, "address",
					   "%s/%s is the service \"%s\"%s, not a server; a packet "
					   "is balanced once",
					   show_endpoint(backend, text), protocol_of(backend),
					   address->service->name, show_line(address, line));
	}
	return 0;
}

/* The replies of a backend are attributed to its service by the backend's endpoint alone,
 * so an endpoint belongs to one service. Keeps in rules->backends those alone whose replies
 * come back through the balancer.
 */
static int check_returning_backends(struct rules *rules)
{
	const struct claim *first, *repeat;
	char text[ENDPOINT_TEXT_SIZE], line[LINE_TEXT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < rules->backends.n; i++) {
		if (sl_forward_returns(rules->backends.items[i].service->forward))
			rules->backends.items[n++] = rules->backends.items[i];
	}
	rules->backends.n = n;
	repeat = claims_find_repeat(&rules->backends, claim_compare_endpoint, &first);
	if (!repeat)
		return 0;
	return claim_error(
		rules->diag, repeat, "address",
		"%s/%s is a backend of the nat service \"%s\" too%s; the way back is found by "
		"the backend's address and port without per-flow state, and leads to one "
		"service: let the server listen on another port for this one, or use dsr or ipip",
		show_endpoint(repeat, text), protocol_of(repeat), first->service->name,
		show_line(first, line));
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

static int take_addresses(struct rules *rules, const struct service_config *service,
			  const struct node *node)
{
	int error = 0;

	for (size_t i = 0; i < service->n_addresses && !error; i++, node = next_of(node)) {
		struct claim *claim = &rules->addresses.items[rules->addresses.n++];

		*claim = (struct claim){ .service = service,
					 .node = node,
					 .ip = service->addresses[i],
					 .port = service->port };
		error = rules_check_address(rules->diag, claim, i);
	}
	return error;
}

static int take_backends(struct rules *rules, const struct service_config *service,
			 const struct node *node)
{
	int error = 0;

	for (size_t i = 0; i < service->n_backends && !error; i++, node = next_of(node)) {
		struct claim *claim = &rules->backends.items[rules->backends.n++];

		*claim = (struct claim){ .service = service,
					 .backend = &service->backends[i],
					 .node = node,
					 .ip = service->backends[i].ip,
					 .port = service->backends[i].port,
					 .changed = rules->changed == &service->backends[i] };
		error = rules_check_backend(rules->diag, claim);
	}
	return error;
}

/* Takes down all claims, and checks what concerns one service alone. */
static int take_services(struct rules *rules, const struct config *config, const struct node *root)
{
	const struct node *node = first_of(node_get(root, "services"));
	int error = 0;

	for (size_t i = 0; i < config->n_services && !error; i++, node = next_of(node)) {
		const struct service_config *service = &config->services[i];
		struct claim *claim = &rules->services.items[rules->services.n++];

		*claim = (struct claim){ .service = service, .node = node };
		error = rules_check_service(rules->diag, claim, config->n_services);
		if (!error)
			error = take_addresses(rules, service, first_of(node_get(node, "address")));
		if (!error)
			error = take_backends(rules, service, first_of(node_get(node, "backends")));
	}
	return error;
}

static int check_all(struct rules *rules, const struct config *config, const struct node *root)
{
	int error;

	error = take_services(rules, config, root);
	if (!error)
		error = check_services(rules);
	if (!error)
		error = check_backends(rules);
	if (!error)
		error = check_chains(rules);
	return error ? error : check_returning_backends(rules);
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
	rules->services.items = calloc(config->n_services, sizeof(struct claim));
	rules->addresses.items = calloc(n_addresses, sizeof(struct claim));
	rules->backends.items = calloc(n_backends, sizeof(struct claim));
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
	if (error)
		return error;
	config->by_name = calloc(config->n_services, sizeof(*config->by_name));
	if (!config->by_name)
		return diag_no_memory(diag);
	for (size_t i = 0; i < config->n_services; i++) /* check_services() has sorted them */
		config->by_name[i] = rules.services.items[i].service;
	return 0;
}
