/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The status page: the problems, and the state of the daemon. Only reads.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/api/view/parts.h"
#include "daemon/api/view/view.h"
#include "daemon/clock.h"
#include "daemon/core/advice.h"
#include "daemon/core/backend.h"
#include "daemon/core/balancer.h"
#include "daemon/core/service.h"
#include "daemon/core/stats.h"
#include "daemon/fiber.h"
#include "daemon/statefile/statefile.h"
#include "lib/base/cleanup.h"
#include "lib/base/yield.h"

/* ---- problems ---------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void complain(json_t *problems, const char *format,
							   ...)
{
	char text[1600];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)json_array_append_new(problems, view_text(text));
}

static void reload_problem(const struct balancer *balancer, json_t *problems)
{
	if (balancer->refused[0])
		complain(
			problems,
			"the last reload, by SIGHUP, was refused, and an older configuration runs; "
			"mend the file, then: sluicectl reload. The reason: %s",
			balancer->refused);
}

static void state_problems(const struct balancer *balancer, json_t *problems)
{
	char text[STATEFILE_TEXT_SIZE];

	if (statefile_problem(balancer->statefile, text))
		complain(problems, "%s", text);
	if (balancer->state_error[0])
		complain(problems, "a restart would lose changes at run time: %s",
			 balancer->state_error);
	if (balancer->denials_error[0])
		complain(problems, "not all prefixes that are denied at run time are denied: %s",
			 balancer->denials_error);
}

static void interface_problems(const struct balancer *balancer, json_t *problems)
{
	if (!balancer->n_attachments && !balancer->config->n_interfaces)
		complain(problems, "no interface is attached: no packet reaches sluice "
				   "(sluicectl attach INTERFACE)");
	for (size_t i = 0; i < balancer->config->n_interfaces; i++) {
		const char *name = balancer->config->interfaces[i].name;

		if (!balancer_attachment(balancer, name))
			complain(problems,
				 "interface %s is in the configuration, but not attached; mend it: "
				 "sluicectl attach %s",
				 name, name);
	}
	for (size_t i = 0; i < balancer->n_attachments; i++)
		if (balancer->attachments[i].state != ATTACHMENT_RUNS)
			complain(problems, "%s", balancer->attachments[i].problem.text);
}

static void backend_problem(const struct backend *backend, json_t *problems)
{
	char address[ENDPOINT_TEXT_SIZE], reason[256];

	if (!backend_is_lacking(backend))
		return;
	(void)endpoint_format(&backend->config->ip, backend->config->port, address);
	complain(problems, "backend %s/%s (%s): %s", backend->service->config->name,
		 backend->config->name, address, backend_explain(backend, reason, sizeof(reason)));
}

static void service_problems(const struct service *service, json_t *problems)
{
	const struct service_config *config = service->config;
	char address[ADDR_TEXT_SIZE];

	if (service->error[0])
		complain(problems, "service %s could not be applied, and is tried again: %s",
			 config->name, service->error);
	if (service->panic)
		complain(problems,
			 "service %s ignores health (panic): fewer than min_healthy, %u%s, of its "
			 "backends are healthy",
			 config->name, config->min_healthy, config->min_healthy_percent ? "%" : "");
	if (service_state(service) == SERVICE_DOWN)
		complain(problems, "service %s is down: no backend serves it", config->name);
	else
		for (size_t i = 0; i < config->n_addresses; i++)
			if (!service->serving[i])
				complain(problems, "service %s is down on %s: no backend serves it",
					 config->name, ip_format(&config->addresses[i], address));
	for (size_t i = 0; i < config->n_backends; i++) {
		backend_problem(&service->backends[i], problems);
		yield_point();
	}
}

static void take_advice(void *problems, const char *text)
{
	complain(problems, "%s", text);
}

static json_t *view_problems(const struct balancer *balancer)
{
	json_t *problems = json_array();

	reload_problem(balancer, problems);
	state_problems(balancer, problems);
	advice_give(balancer, take_advice, problems);
	interface_problems(balancer, problems);
	for (size_t i = 0; i < balancer->config->n_services; i++)
		service_problems(balancer->services[i], problems);
	return problems;
}

/* ---- status ------------------------------------------------------------ */

static json_t *view_interfaces(const struct balancer *balancer)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < balancer->n_attachments; i++)
		if (json_array_append_new(array, view_attachment(&balancer->attachments[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

static json_t *view_flows(const struct balancer *balancer)
{
	struct datapath_flow_stats stats = stats_of_flows(balancer);

	return json_pack("{s:I, s:I}", "tracked", (json_int_t)stats.tracked, "slots_in_transition",
			 (json_int_t)stats.slots_in_transition);
}

/* The text is for people, and NULL where there is nothing to say. */
static json_t *view_seed(const struct balancer *balancer)
{
	bool public = stats_seed_is_public(balancer);

	return json_pack("{s:b, s:s?}", "public", (int)public, "text",
			 public ? "public: anyone can compute which clients share a backend, and "
				  "aim at it (sluice.yaml(5), HASH SEED, says how to make one)"
				: NULL);
}

json_t *view_status(const struct balancer *balancer)
{
	uint64_t up_ns = clock_monotonic_ns() - balancer->started_ns;
	json_t *status = json_pack(
		"{s:s, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "version",
		SLUICE_VERSION, "pid", (int)getpid(), "uptime_s", (json_int_t)(up_ns / 1000000000),
		"config", view_text(balancer->options.config_path), "started",
		view_time(balancer->started_ms), "reloaded", view_time(balancer->reloaded_ms),
		"hash_seed", view_seed(balancer), "problems", view_problems(balancer), "changes",
		view_changes(balancer), "run_time", view_authors(balancer), "flows",
		view_flows(balancer), "interfaces", view_interfaces(balancer), "longest_step_ms",
		(double)(fibers_longest_round() / 1000) / 1000);

	return view_merge(status, view_services(balancer));
}
