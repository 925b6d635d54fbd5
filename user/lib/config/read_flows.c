// SPDX-License-Identifier: BSD-2-Clause
/* The keys of the table of flows. */
#include "lib/config/read.h"
#include "lib/config/types.h"

static const struct key flows_keys[] = {
	{ .name = "size",
	  .type = &type_count,
	  MEMBER(struct flows_config, size),
	  .default_number = SL_DEFAULT_FLOWS,
	  .min = 1024,
	  .max = 1 << 26,
	  .what = "a count of flows",
	  .want = "from 1024 to 67108864, like 500k" },
	{ .name = "tcp_idle",
	  .type = &type_duration,
	  MEMBER(struct flows_config, tcp_idle_ms),
	  .default_number = 15 * 60 * 1000,
	  .min = 1000,
	  .max = 24 * 3600 * 1000,
	  .what = "an idle time",
	  .want = "from 1s to 24h, like 15m" },
	{ .name = "tracked_idle",
	  .type = &type_duration,
	  MEMBER(struct flows_config, tracked_idle_ms),
	  .default_number = 135 * 60 * 1000,
	  .min = 1000,
	  .max = 24 * 3600 * 1000,
	  .what = "an idle time",
	  .want = "from 1s to 24h, like 135m" },
	{ .name = "udp_idle",
	  .type = &type_duration,
	  MEMBER(struct flows_config, udp_idle_ms),
	  .default_number = 30 * 1000,
	  .min = 1000,
	  .max = 3600 * 1000,
	  .what = "an idle time",
	  .want = "from 1s to 1h, like 30s" },
};

const struct section section_flows = { SECTION("flows", flows_keys, struct flows_config) };
