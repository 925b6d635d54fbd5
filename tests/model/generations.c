// SPDX-License-Identifier: BSD-2-Clause
#include "generations.h"

#include <netinet/in.h>
#include <stdio.h>

#include "daemon/datapath/limits.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

static const struct limit_config bucket = {
	.algorithm = SL_ALGORITHM_TOKEN_BUCKET,
	.rate = { 10, 1 },
	.burst = 10,
	.prefix_v4 = 32,
	.prefix_v6 = 64,
};

static const struct limit_config window = {
	.algorithm = SL_ALGORITHM_FIXED_WINDOW,
	.rate = { 5, 60 },
	.prefix_v4 = 32,
	.prefix_v6 = 64,
};

/* Applies the service with these limits; the id of the last one. */
static unsigned apply(struct subject *subject, const struct limit_config limits[], unsigned n)
{
	struct service_config service = subject->service;
	struct sl_key key = plan_service_key(&service, &service.addresses[0]);
	_cleanup_(plan_done) struct plan plan = {};
	struct diag diag = {};
	unsigned first;

	for (unsigned i = 0; i < n; i++)
		service.limits[i] = limits[i];
	service.n_limits = n;
	service.backends = subject->backends;
	service.n_backends = 1;
	check(!plan_build(&service, &service.addresses[0], subject->inputs, NULL, &plan));
	check(!datapath_put_limits(subject->datapath, &service, &key, 1, &diag, &first));
	plan.limits = first;
	plan.n_limits = n;
	check(!datapath_apply(subject->datapath, &plan, &diag));
	subject_grace(subject);
	return subject->datapath->maps.limits[first + n - 1].id;
}

void generations_run(struct subject *subject)
{
	struct limit_config limits[2] = { bucket, window };
	unsigned removed, next;

	subject_service(subject, IPPROTO_TCP, SL_FAMILY_IPV4, SL_SCHEDULER_MAGLEV);
	subject_backend(subject, 0, 1);
	removed = apply(subject, limits, 2);
	/* The other goes on under its id, and is written over the place of the one that is gone. */
	for (unsigned i = 0; i < 4; i++) {
		limits[0].burst++;
		check(apply(subject, limits, 1) < removed);
	}
	for (unsigned i = 1; i < subject->datapath->maps.map[MAP_LIMITS].entries; i++)
		check(subject->datapath->maps.limits[i].id != removed);
	subject_restart(subject);
	next = apply(subject, limits, 2);
	(void)printf(
		"limits: generation %u was removed, and after a take-over the next one is %u\n",
		removed, next);
	check(next > removed);
	subject_remove(subject);
	subject_walk(subject);
}
