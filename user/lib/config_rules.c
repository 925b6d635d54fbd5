// SPDX-License-Identifier: BSD-2-Clause
/* Rules over the whole file: wishes that each look fine and cannot all be
 * granted. The configuration tells the values, the tree beside it the places.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/config_claims.h"
#include "lib/config_read.h"
#include "lib/diag.h"

struct rules {
	struct diag *diag;
	struct claims services;
	struct claims addresses; /* of services */
	struct claims backends;
};

/* Where to point at: a key's value, or the whole where it is not written. */
static const struct node *place_of(const struct claim *claim, const char *key)
{
	const struct node *value = node_get(claim->node, key);

	return value ? value : claim->node;
}

static const char *protocol_of(const struct claim *claim)
{
	return config_proto_name(claim->service->proto);
}

static const char *show_endpoint(const struct claim *claim, char buffer[static ENDPOINT_TEXT_SIZE])
{
	return endpoint_format(&claim->ip, claim->port, buffer);
}

static const char *family_name(const struct ip *ip)
{
	return ip->family == SL_FAMILY_IPV4 ? "IPv4" : "IPv6";
}

/* ---- rules within one service; backends are the service's --------------- */

static bool has_address_of_family(const struct service_config *service, __u8 family)
{
	size_t i;

	for (i = 0; i < service->n_addresses; i++) {
		if (service->addresses[i].family == family)
			return true;
	}
	return false;
}

static bool has_backend_of_family(const struct service_config *service, __u8 family)
{
	size_t i;

	for (i = 0; i < service->n_backends; i++) {
		if (service->backends[i].ip.family == family)
			return true;
	}
	return false;
}

static int check_backend(const struct rules *rules, const struct claim *backend)
{
	const struct service_config *service = backend->service;
	const struct node *address = node_get(backend->node, "address");
	size_t i;

	if (service->forward == SL_FORWARD_DSR && backend->port != service->port)
		return node_error(rules->diag, place_of(backend, "port"),
				  "%u is not the service's port %u; dsr does not change ports: "
				  "write %u, or forward: nat",
				  ntohs(backend->port), ntohs(service->port), ntohs(service->port));
	for (i = 0; i < service->n_addresses; i++) {
		if (ip_equal(&service->addresses[i], &backend->ip))
			return node_error(rules->diag, address,
					  "\"%s\" is the address of the service itself; write "
					  "the server's own",
					  address->text);
	}
	if (!has_address_of_family(service, backend->ip.family))
		return node_error(rules->diag, address,
				  "\"%s\" is %s, and the service has no %s address", address->text,
				  family_name(&backend->ip), family_name(&backend->ip));
	return 0;
}

/* The address's place among the service's is index. */
static int check_address(const struct rules *rules, const struct claim *address, size_t index)
{
	const struct service_config *service = address->service;
	char other[ADDR_TEXT_SIZE];
	size_t i;

	if (!has_backend_of_family(service, address->ip.family))
		return node_error(rules->diag, address->node,
				  "\"%s\" is %s, and the service has no %s backend",
				  address->node->text, family_name(&address->ip),
				  family_name(&address->ip));
	for (i = 0; i < index; i++) {
		const struct ip *ip = &service->addresses[i];

		if (ip_equal(ip, &address->ip))
			return node_error(rules->diag, address->node,
					  "\"%s\" stands there twice; keep one",
					  address->node->text);
		if (service->forward == SL_FORWARD_NAT && ip->family == address->ip.family)
			return node_error(rules->diag, address->node,
					  "a nat service has one %s address, and this one has %s: "
					  "the way back is found by the backend's address and "
					  "port without per-flow state, and leads to one address; "
					  "make it a service of its own with backends on other "
					  "ports, or use dsr",
					  family_name(ip), ip_format(ip, other));
	}
	return 0;
}

/* ---- rules between services --------------------------------------------- */

static int check_services(struct rules *rules)
{
	const struct claim *first, *repeat;
	char text[ENDPOINT_TEXT_SIZE];

	repeat = claims_find_repeat(&rules->services, claim_compare_service, &first);
	if (repeat)
		return node_error(rules->diag, place_of(repeat, "name"),
				  "the service in line %u has this name too; each needs its own",
				  first->service->line);
	repeat = claims_find_repeat(&rules->addresses, claim_compare_endpoint, &first);
	if (repeat)
		return node_error(rules->diag, repeat->node,
				  "%s/%s is already the service \"%s\" (line %u); one address, "
				  "port and protocol is one service",
				  show_endpoint(repeat, text), protocol_of(repeat),
				  first->service->name, first->service->line);
	return 0;
}

static int check_backends(struct rules *rules)
{
	const struct claim *first, *repeat;
	char text[ENDPOINT_TEXT_SIZE];

	repeat = claims_find_repeat(&rules->backends, claim_compare_own_endpoint, &first);
	if (repeat)
		return node_error(
			rules->diag, place_of(repeat, "address"),
			"%s is already the backend in line %u; to give it a larger share, "
			"raise its weight",
			show_endpoint(repeat, text), first->backend->line);
	repeat = claims_find_repeat(&rules->backends, claim_compare_own_name, &first);
	if (repeat)
		return node_error(rules->diag, place_of(repeat, "name"),
				  "the backend in line %u is called \"%s\" too; each needs a name "
				  "of its own",
				  first->backend->line, first->backend->name);
	return 0;
}

/* A packet is balanced once: what is sent to a backend must not be for a
 * service again. The addresses are sorted by endpoint.
 */
static int check_chains(const struct rules *rules)
{
	char text[ENDPOINT_TEXT_SIZE];
	size_t i;

	for (i = 0; i < rules->backends.n; i++) {
		const struct claim *backend = &rules->backends.items[i];
		const struct claim *address;

		address = bsearch(backend, rules->addresses.items, rules->addresses.n,
				  sizeof(*backend), claim_compare_endpoint);
		if (address)
			return node_error(rules->diag, place_of(backend, "address"),
					  "%s/%s is the service \"%s\" (line %u), not a server; a "
					  "packet is balanced once",
					  show_endpoint(backend, text), protocol_of(backend),
					  address->service->name, address->service->line);
	}
	return 0;
}

/* The backends of nat services are found again by their endpoint alone. Leaves
 * those alone in rules->backends.
 */
static int check_nat_backends(struct rules *rules)
{
	const struct claim *first, *repeat;
	char text[ENDPOINT_TEXT_SIZE];
	size_t n = 0;
	size_t i;

	for (i = 0; i < rules->backends.n; i++) {
		if (rules->backends.items[i].service->forward == SL_FORWARD_NAT)
			rules->backends.items[n++] = rules->backends.items[i];
	}
	rules->backends.n = n;
	repeat = claims_find_repeat(&rules->backends, claim_compare_endpoint, &first);
	if (!repeat)
		return 0;
	return node_error(
		rules->diag, place_of(repeat, "address"),
		"%s/%s is a backend of the nat service \"%s\" too (line %u); the way back "
		"is found by the backend's address and port without per-flow state, and "
		"leads to one service: let the server listen on another port for this "
		"one, or use dsr",
		show_endpoint(repeat, text), protocol_of(repeat), first->service->name,
		first->backend->line);
}

/* ---- the walk ------------------------------------------------------------ */

/* Takes down a service's claims, and checks what concerns it alone. */
static int take_service(struct rules *rules, const struct service_config *service,
			const struct node *node)
{
	const struct node *address = node_get(node, "address");
	const struct node *backend = node_get(node, "backends")->first;
	size_t i;
	int err;

	rules->services.items[rules->services.n++] =
		(struct claim){ .service = service, .node = node };
	if (address->kind == NODE_LIST)
		address = address->first;
	for (i = 0; i < service->n_addresses; i++, address = address->next) {
		struct claim *claim = &rules->addresses.items[rules->addresses.n++];

		*claim = (struct claim){ .service = service,
					 .node = address,
					 .ip = service->addresses[i],
					 .port = service->port };
		err = check_address(rules, claim, i);
		if (err)
			return err;
	}
	for (i = 0; i < service->n_backends; i++, backend = backend->next) {
		struct claim *claim = &rules->backends.items[rules->backends.n++];

		*claim = (struct claim){ .service = service,
					 .backend = &service->backends[i],
					 .node = backend,
					 .ip = service->backends[i].ip,
					 .port = service->backends[i].port };
		err = check_backend(rules, claim);
		if (err)
			return err;
	}
	return 0;
}

static int check_all(struct rules *rules, const struct config *config, const struct node *root)
{
	const struct node *node = node_get(root, "services")->first;
	size_t i;
	int err;

	for (i = 0; i < config->n_services; i++, node = node->next) {
		err = take_service(rules, &config->services[i], node);
		if (err)
			return err;
	}
	err = check_services(rules);
	if (!err)
		err = check_backends(rules);
	if (!err)
		err = check_chains(rules);
	return err ? err : check_nat_backends(rules);
}

static void rules_done(struct rules *rules)
{
	free(rules->services.items);
	free(rules->addresses.items);
	free(rules->backends.items);
}

int config_check_rules(struct config *config, const struct node *root, struct diag *diag)
{
	_cleanup_(rules_done) struct rules rules = { .diag = diag };
	size_t n_addresses = 0;
	size_t n_backends = 0;
	size_t i;
	int err;

	if (!config->n_services)
		return 0;
	for (i = 0; i < config->n_services; i++) {
		n_addresses += config->services[i].n_addresses;
		n_backends += config->services[i].n_backends;
	}
	rules.services.items = calloc(config->n_services, sizeof(struct claim));
	rules.addresses.items = calloc(n_addresses, sizeof(struct claim));
	rules.backends.items = calloc(n_backends, sizeof(struct claim));
	config->by_name = calloc(config->n_services, sizeof(*config->by_name));
	if (!rules.services.items || !rules.addresses.items || !rules.backends.items ||
	    !config->by_name)
		return diag_set(diag, ENOMEM, "out of memory");
	err = check_all(&rules, config, root);
	if (err)
		return err;
	for (i = 0; i < config->n_services; i++) /* check_services() has sorted them */
		config->by_name[i] = rules.services.items[i].service;
	return 0;
}
