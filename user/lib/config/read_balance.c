// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a service that say who gets its connections when: affinity and
 * min_healthy.
 */
#include <errno.h>

#include "lib/base/units.h"
#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

static const struct key affinity_keys[] = {
	{ .name = "timeout",
	  .required = true,
	  .type = &type_duration,
	  MEMBER(struct affinity_config, timeout_ms),
	  .min = 1000,
	  .max = 24 * 3600 * 1000,
	  .what = "a timeout",
	  .want = "from 1s to 24h, like 30m" },
	{ .name = "prefix_v4",
	  .type = &type_number,
	  MEMBER(struct affinity_config, prefix_v4),
	  .default_number = 32,
	  .min = 8,
	  .max = 32,
	  .what = "a prefix of IPv4" },
	{ .name = "prefix_v6",
	  .type = &type_number,
	  MEMBER(struct affinity_config, prefix_v6),
	  .default_number = 128,
	  .min = 16,
	  .max = 128,
	  .what = "a prefix of IPv6" },
	{ .name = "group",
	  .type = &type_text,
	  .read = read_name,
	  MEMBER(struct affinity_config, group) },
};

const struct section section_affinity = {
	SECTION("an affinity", affinity_keys, struct affinity_config),
	.has_short = true,
};

static int read_min_healthy(struct reader *reader, const struct key *key, const struct node *node,
			    void *object)
{
	struct service_config *service = object;
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

static void emit_min_healthy(struct writer *writer, const struct key *key, const void *object)
{
	const struct service_config *service = object;

	(void)key;
	emit_format(&writer->emit, "%u%s", service->min_healthy,
		    service->min_healthy_percent ? "%" : "");
}

const struct type type_min_healthy = {
	.read = read_min_healthy,
	.emit = emit_min_healthy,
};
