// SPDX-License-Identifier: BSD-2-Clause
/* Rules within one service: its addresses, its backends, and what it wants of
 * them all together.
 */
#include <arpa/inet.h>

#include "lib/config/read.h"
#include "lib/config/rules.h"

static const __u8 families[] = { SL_FAMILY_IPV4, SL_FAMILY_IPV6 };

static const char *family_name(__u8 family)
{
	return family == SL_FAMILY_IPV4 ? "IPv4" : "IPv6";
}

static bool has_address_of_family(const struct service_config *service, __u8 family)
{
	for (size_t i = 0; i < service->n_addresses; i++) {
		if (service->addresses[i].family == family)
			return true;
	}
	return false;
}

static bool has_backend_of_family(const struct service_config *service, __u8 family)
{
	for (size_t i = 0; i < service->n_backends; i++) {
		if (service->backends[i].ip.family == family)
			return true;
	}
	return false;
}

int rules_check_backend(struct diag *diag, const struct claim *backend)
{
	const struct service_config *service = backend->service;
	const char *family = family_name(backend->ip.family);
	char text[ADDR_TEXT_SIZE];

	if (sl_forward_keeps_port(service->forward) && backend->port != service->port)
		return claim_error(diag, backend, "port",
				   "%u is not the service's port %u; %s does not change ports: "
				   "write %u, or forward: nat",
				   ntohs(backend->port), ntohs(service->port),
				   config_forward_name(service->forward), ntohs(service->port));
	for (size_t i = 0; i < service->n_addresses; i++) {
		if (ip_equal(&service->addresses[i], &backend->ip))
			return claim_error(diag, backend, "address",
					   "\"%s\" is the address of the service itself; write "
					   "the server's own",
					   ip_format(&backend->ip, text));
	}
	if (!has_address_of_family(service, backend->ip.family))
		return claim_error(diag, backend, "address",
				   "\"%s\" is %s, and the service has no %s address",
				   ip_format(&backend->ip, text), family, family);
	return 0;
}

int rules_check_address(struct diag *diag, const struct claim *address, size_t index)
{
	const struct service_config *service = address->service;
	const char *family = family_name(address->ip.family);
	char text[ADDR_TEXT_SIZE], other[ADDR_TEXT_SIZE];

	(void)ip_format(&address->ip, text);
	if (!has_backend_of_family(service, address->ip.family))
		return claim_error(diag, address, NULL,
				   "\"%s\" is %s, and the service has no %s backend", text, family,
				   family);
	for (size_t i = 0; i < index; i++) {
		const struct ip *ip = &service->addresses[i];

		if (ip_equal(ip, &address->ip))
			return claim_error(diag, address, NULL,
					   "\"%s\" stands there twice; keep one", text);
		if (sl_forward_returns(service->forward) && ip->family == address->ip.family)
			return claim_error(diag, address, NULL,
					   "a nat service has one %s address, and this one has %s: "
					   "the way back is found by the backend's address and "
					   "port without per-flow state, and leads to one address; "
					   "make it a service of its own with backends on other "
					   "ports, or use dsr or ipip",
					   family, ip_format(ip, other));
	}
	return 0;
}

/* Of a family, or with family 0 of both. */
static size_t count_first_choice(const struct service_config *service, __u8 family)
{
	size_t count = 0;

	for (size_t i = 0; i < service->n_backends; i++) {
		const struct backend_config *backend = &service->backends[i];

		count += !backend->backup && (!family || backend->ip.family == family);
	}
	return count;
}

/* Each family counts for itself: its addresses have no other backends. One that
 * has nothing but backups counts none.
 */
static int check_min_healthy(struct diag *diag, const struct claim *claim)
{
	const struct service_config *service = claim->service;
	bool both = has_backend_of_family(service, SL_FAMILY_IPV4) &&
		    has_backend_of_family(service, SL_FAMILY_IPV6);

	if (service->min_healthy_percent)
		return 0;
	for (size_t i = 0; i < sizeof(families); i++) {
		size_t count = count_first_choice(service, families[i]);

		if (!count || service->min_healthy <= count)
			continue;
		return claim_error(diag, claim, "min_healthy",
				   "%u can never be healthy: the service has %zu %s%sbackend%s, "
				   "backups left out; at most %zu, or a share like 50%%",
				   service->min_healthy, count,
				   both ? family_name(families[i]) : "", both ? " " : "",
				   count == 1 ? "" : "s", count);
	}
	return 0;
}

static int check_turns(struct diag *diag, const struct claim *claim)
{
	for (size_t i = 0; i < 2 * sizeof(families); i++) {
		__u8 family = families[i / 2];
		bool backup = i % 2;
		unsigned turns = config_turns(claim->service, family, backup);

		if (turns <= CONFIG_TURNS_MAX)
			continue;
		return claim_error(diag, claim, "scheduler",
				   "a round over the %s %s by their weights takes %u turns (the "
				   "sum of the weights divided by their greatest common divisor); "
				   "at most %d: write smaller or rounder weights, or scheduler: "
				   "random",
				   family_name(family), backup ? "backups" : "backends", turns,
				   CONFIG_TURNS_MAX);
	}
	return 0;
}

int rules_check_service(struct diag *diag, const struct claim *claim, size_t n_services)
{
	const struct service_config *service = claim->service;
	int error;

	if (config_has_hashed_table(service) && service->table_size < service->n_backends)
		return claim_error(diag, claim, "table_size",
				   "%u slots are too few for %zu backends; better %u",
				   service->table_size, service->n_backends,
				   config_table_size(service->n_backends, n_services));
	if (!count_first_choice(service, 0))
		return claim_error(diag, claim, "backends",
				   "all are backups, so none would ever stand in for another; "
				   "leave backup: true out of those that serve at first");
	error = check_min_healthy(diag, claim);
	if (error || sl_scheduler_table(service->scheduler) != SL_TABLE_TURNS)
		return error;
	return check_turns(diag, claim);
}
