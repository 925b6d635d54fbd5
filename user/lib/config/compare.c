// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/config/config.h"
#include "lib/config/prefix_list.h"

static bool text_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool config_check_equal(const struct check_config *a, const struct check_config *b)
{
	return a->type == b->type && a->interval_ms == b->interval_ms &&
	       a->timeout_ms == b->timeout_ms && a->rise == b->rise && a->fall == b->fall &&
	       a->jitter_percent == b->jitter_percent && a->port == b->port &&
	       text_equal(a->path, b->path) && text_equal(a->host, b->host) &&
	       a->n_status == b->n_status &&
	       !memcmp(a->status, b->status, a->n_status * sizeof(a->status[0]));
}

/* 10/s and 600/min fill a bucket alike, but are not the same windows. */
static bool rate_equal(const struct limit_config *a, const struct limit_config *b)
{
	if (a->algorithm != SL_ALGORITHM_TOKEN_BUCKET)
		return a->rate.count == b->rate.count && a->rate.seconds == b->rate.seconds;
	return (unsigned __int128)a->rate.count * b->rate.seconds ==
	       (unsigned __int128)b->rate.count * a->rate.seconds;
}

static bool limit_equal(const struct limit_config *a, const struct limit_config *b)
{
	return a->count == b->count && a->algorithm == b->algorithm && a->action == b->action &&
	       a->per_service == b->per_service && a->dry_run == b->dry_run &&
	       a->pressure_refuses == b->pressure_refuses && a->prefix_v4 == b->prefix_v4 &&
	       a->prefix_v6 == b->prefix_v6 && a->burst == b->burst && rate_equal(a, b) &&
	       prefix_list_equal(&a->exempt, &b->exempt);
}

static bool limits_equal(const struct service_config *a, const struct service_config *b)
{
	if (a->n_limits != b->n_limits)
		return false;
	for (size_t i = 0; i < a->n_limits; i++)
		if (!limit_equal(&a->limits[i], &b->limits[i]))
			return false;
	return true;
}

bool config_respond_equal(const struct respond_config *a, const struct respond_config *b)
{
	return text_equal(a->body, b->body) && text_equal(a->content_type, b->content_type) &&
	       a->x_headers == b->x_headers && a->retry_after_ms == b->retry_after_ms;
}

static bool backend_equal(const struct backend_config *a, const struct backend_config *b)
{
	return text_equal(a->name, b->name) && ip_equal(&a->ip, &b->ip) && a->port == b->port &&
	       a->weight == b->weight && a->backup == b->backup && a->admin_state == b->admin_state;
}

static bool affinity_equal(const struct affinity_config *a, const struct affinity_config *b)
{
	return a->timeout_ms == b->timeout_ms && a->prefix_v4 == b->prefix_v4 &&
	       a->prefix_v6 == b->prefix_v6;
}

/* Everything but the parts that are sections or lists of their own. */
static bool keys_equal(const struct service_config *a, const struct service_config *b)
{
	return text_equal(a->name, b->name) && a->n_addresses == b->n_addresses &&
	       a->port == b->port && a->proto == b->proto && a->forward == b->forward &&
	       a->scheduler == b->scheduler && a->on_all_down == b->on_all_down &&
	       a->min_healthy == b->min_healthy &&
	       a->min_healthy_percent == b->min_healthy_percent &&
	       a->slow_start_ms == b->slow_start_ms && a->table_size == b->table_size &&
	       a->n_backends == b->n_backends;
}

bool config_service_equal(const struct service_config *a, const struct service_config *b)
{
	if (!keys_equal(a, b) || !affinity_equal(&a->affinity, &b->affinity) ||
	    !config_check_equal(&a->check, &b->check) || !limits_equal(a, b) ||
	    !access_equal(&a->access, &b->access) ||
	    !config_respond_equal(&a->respond, &b->respond))
		return false;
	for (size_t i = 0; i < a->n_addresses; i++)
		if (!ip_equal(&a->addresses[i], &b->addresses[i]))
			return false;
	for (size_t i = 0; i < a->n_backends; i++)
		if (!backend_equal(&a->backends[i], &b->backends[i]))
			return false;
	return true;
}

bool config_flows_equal(const struct flows_config *a, const struct flows_config *b)
{
	return a->size == b->size && a->tcp_idle_ms == b->tcp_idle_ms &&
	       a->udp_idle_ms == b->udp_idle_ms;
}

bool config_limiter_equal(const struct limiter_config *a, const struct limiter_config *b)
{
	return a->buckets == b->buckets && a->gate == b->gate &&
	       a->inserts_per_second == b->inserts_per_second &&
	       a->refusals_per_second == b->refusals_per_second &&
	       a->events_per_second == b->events_per_second;
}

bool config_ipip_equal(const struct ipip_config *a, const struct ipip_config *b)
{
	return !prefix_compare(&a->source_v4, &b->source_v4) &&
	       !prefix_compare(&a->source_v6, &b->source_v6);
}

static int compare_names(const void *a, const void *b)
{
	const struct service_config *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

/* The services, sorted by name; the caller's to free. */
static const struct service_config **sorted(const struct config *config)
{
	const struct service_config **list = calloc(config->n_services + 1, sizeof(*list));

	for (size_t i = 0; list && i < config->n_services; i++)
		list[i] = &config->services[i];
	if (list)
		qsort(list, config->n_services, sizeof(*list), compare_names);
	return list;
}

int config_compare(const struct config *from, const struct config *to,
		   struct config_difference *ret_difference)
{
	_cleanup_(cleanup_free) const struct service_config **old = sorted(from);
	_cleanup_(cleanup_free) const struct service_config **new = sorted(to);
	struct config_difference difference = {
		.hash_seed = from->hash_seed != to->hash_seed,
		.flows = !config_flows_equal(&from->flows, &to->flows),
		.limiter = !config_limiter_equal(&from->limiter, &to->limiter),
		.ipip = !config_ipip_equal(&from->ipip, &to->ipip),
		.access = !access_equal(&from->access, &to->access),
	};
	size_t i = 0, j = 0;

	if (!old || !new)
		return -ENOMEM;
	while (i < from->n_services || j < to->n_services) {
		int order = i == from->n_services ? 1
			    : j == to->n_services ? -1
						  : strcmp(old[i]->name, new[j]->name);

		if (order < 0) {
			difference.removed++;
			i++;
		} else if (order > 0) {
			difference.added++;
			j++;
		} else {
			difference.changed += !config_service_equal(old[i++], new[j++]);
		}
	}
	*ret_difference = difference;
	return 0;
}
