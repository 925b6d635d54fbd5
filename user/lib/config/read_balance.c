// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a service that say who gets its connections when: affinity and
 * min_healthy.
 */
#include <errno.h>

#include "lib/base/units.h"
#include "lib/config/read.h"

static const struct key affinity_keys[] = {
	{ .name = "timeout",
	  .required = true,
	  .read = read_duration,
	  .offset = offsetof(struct affinity_config, timeout_ms),
	  .min = 1000,
	  .max = 24 * 3600 * 1000,
	  .what = "a timeout",
	  .want = "from 1s to 24h, like 30m" },
	{ .name = "prefix_v4",
	  .read = read_number,
	  .offset = offsetof(struct affinity_config, prefix_v4),
	  .min = 8,
	  .max = 32,
	  .what = "a prefix of IPv4" },
	{ .name = "prefix_v6",
	  .read = read_number,
	  .offset = offsetof(struct affinity_config, prefix_v6),
	  .min = 16,
	  .max = 128,
	  .what = "a prefix of IPv6" },
};

static const struct section affinity_section = SECTION("an affinity", affinity_keys);

struct affinity_config config_default_affinity(void)
{
	return (struct affinity_config){ .prefix_v4 = 32, .prefix_v6 = 128 };
}

int read_affinity(struct reader *reader, const struct key *key, const struct node *node,
		  void *target)
{
	struct affinity_config *affinity = target;

	(void)key;
	if (node->kind == NODE_TEXT && !node_is_empty(node))
		return read_duration(reader, &affinity_keys[0], node, &affinity->timeout_ms);
	return read_section(&affinity_section, reader, node, affinity);
}

int read_min_healthy(struct reader *reader, const struct key *key, const struct node *node,
		     void *target)
{
	struct service_config *service = target;
	unsigned long long value = 0;
	bool percent = false;
	bool good = false;

	if (node->kind == NODE_TEXT) {
		percent = percent_parse(node->text, &value) == 0;
		good = percent ? value <= 100
			       : number_parse(node->text, &value) == 0 &&
					 value <= CONFIG_BACKENDS_MAX;
	}
	if (!good)
		return node_refuse(reader->diag, node, key->what, key->want);
	service->min_healthy = (unsigned)value;
	service->min_healthy_percent = percent && value; /* 0 of either is none */
	return 0;
}
