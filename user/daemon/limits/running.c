/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configured limits beside what runs of them. Only reads.
 */
#include "daemon/limits/running.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/core/balancer.h"
#include "daemon/datapath/limits.h"
#include "daemon/datapath/sources.h"
#include "lib/balance/plan.h"
#include "sluice/abi.h"

/* What could not be applied runs as it did before, which need not be as it is
 * configured: nothing is said of it.
 */
static void find_running(struct view_limit *limit)
{
	const struct service *service = limit->service;
	struct sl_key key = plan_service_key(service->config, &service->config->addresses[0]);
	const struct datapath *datapath = service->balancer->datapath;
	unsigned first = service->error[0] ? 0 : datapath_limits(datapath, &key);

	if (!first)
		return;
	limit->index = first + limit->number - 1;
	limit->wire = datapath_limit(datapath, limit->index);
}

static int compare_ids(const void *a, const void *b)
{
	const struct view_limit_id *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

static void add_id(struct view_limit_table *table, __u32 id, struct view_limit *limit)
{
	if (id)
		table->ids[table->n_ids++] = (struct view_limit_id){ id, limit };
}

static size_t count_limits(const struct balancer *balancer)
{
	size_t n = 0;

	for (size_t i = 0; i < balancer->config->n_services; i++)
		n += balancer->config->services[i].n_limits;
	return n;
}

int view_limit_table_make(const struct balancer *balancer, struct view_limit_table *ret_table)
{
	size_t n = count_limits(balancer);
	struct view_limit_table table = {
		.limits = calloc(n + 1, sizeof(*table.limits)),
		.ids = calloc(2 * n + 1, sizeof(*table.ids)),
	};

	if (!table.limits || !table.ids) {
		view_limit_table_done(&table);
		return -ENOMEM;
	}
	for (size_t i = 0; i < balancer->config->n_services; i++) {
		const struct service *service = &balancer->services[i];

		for (unsigned k = 0; k < service->config->n_limits; k++) {
			struct view_limit *limit = &table.limits[table.n++];

			limit->service = service;
			limit->config = &service->config->limits[k];
			limit->number = k + 1;
			find_running(limit);
			if (!limit->wire)
				continue;
			add_id(&table, limit->wire->id, limit);
			add_id(&table, limit->wire->replaced, limit);
		}
	}
	qsort(table.ids, table.n_ids, sizeof(*table.ids), compare_ids);
	*ret_table = table;
	return 0;
}

void view_limit_table_done(struct view_limit_table *table)
{
	free(table->limits);
	free(table->ids);
}

struct view_limit *view_limit_table_find(const struct view_limit_table *table, __u32 id)
{
	const struct view_limit_id key = { id, NULL };
	const struct view_limit_id *found =
		bsearch(&key, table->ids, table->n_ids, sizeof(key), compare_ids);

	return found ? found->limit : NULL;
}

/* ---- time -------------------------------------------------------------- */

struct view_moment view_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct view_moment){
		.ns = (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec,
		.wall_ms = balancer_wall_clock_ms(),
	};
}

unsigned long long view_age_ms(const struct view_moment *now, __u32 second)
{
	unsigned long long began = (unsigned long long)second << SL_SECOND_SHIFT;

	return now->ns > began ? (now->ns - began) / 1000000 : 0;
}

bool view_is_over(const struct view_moment *now, const struct sl_bucket *bucket)
{
	/* Signed: the program may have gone on since the clock was read. */
	__s32 age = (__s32)((__u32)(now->ns >> SL_SECOND_SHIFT) - bucket->last);

	return bucket->over && age < SL_LIMIT_CALM;
}

/* ---- settings ---------------------------------------------------------- */
