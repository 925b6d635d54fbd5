/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl service list, service show.
 */
#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"

static const struct out_column list_columns[] = {
	{ "SERVICE", OUT_TEXT, "name", NULL, 0 },
	{ "ADDRESS", OUT_ENDPOINT, "addresses", "port", 0 },
	{ "PROTO", OUT_TEXT, "protocol", NULL, 0 },
	{ "FORWARD", OUT_TEXT, "forward", NULL, 0 },
	{ "STATE", OUT_STATE, "state", NULL, 0 },
	{ "SERVING", OUT_RATIO, "backends_serving", "backends_total", 0 },
	{},
};

static const struct out_section list_sections[] = {
	{ .columns = list_columns, .member = "services", .empty = "no services" },
	{},
};

static const struct out_column fields[] = {
	{ "service", OUT_TEXT, "name", NULL, 0 },
	{ "addresses", OUT_ENDPOINTS, "addresses", "port", 0 },
	{ "protocol", OUT_TEXT, "protocol", NULL, 0 },
	{ "forwarding", OUT_TEXT, "forward", NULL, 0 },
	{ "scheduler", OUT_TEXT, "scheduler", NULL, 0 },
	{ "affinity", OUT_MILLISECONDS, "affinity.timeout_ms", NULL, 0 },
	{ "shared by group", OUT_TEXT, "affinity.group", NULL, 0 },
	{ "IPv4 prefix", OUT_COUNT, "affinity.prefix_v4", NULL, 0 },
	{ "IPv6 prefix", OUT_COUNT, "affinity.prefix_v6", NULL, 0 },
	{ "table size", OUT_COUNT, "table_size", NULL, 0 },
	{ "slow start", OUT_MILLISECONDS, "slow_start_ms", NULL, 0 },
	{ "if all are down", OUT_TEXT, "on_all_down", NULL, 0 },
	{ "min healthy", OUT_TEXT, "min_healthy", NULL, 0 },
	{ "ignores health", OUT_YES_NO, "panic", NULL, 0 },
	{ "allowed prefixes", OUT_COUNT, "access.allow", NULL, 0 },
	{ "denied prefixes", OUT_COUNT, "access.deny", NULL, 0 },
	{ "503 retry after", OUT_SPAN, "respond.retry_after_ms", NULL, 0 },
	{ "state", OUT_STATE, "state", NULL, 0 },
	{ "error", OUT_TEXT, "error", NULL, 0 },
	{ "serving", OUT_RATIO, "backends_serving", "backends_total", 0 },
	{},
};

static const struct out_column limit_columns[] = {
	{ "LIMIT", OUT_TEXT, "rate", NULL, 0 },
	{ "BURST", OUT_AMOUNT, "burst", "count", 0 },
	{ "COUNT", OUT_TEXT, "count", NULL, 0 },
	{ "ALGORITHM", OUT_TEXT, "algorithm", NULL, 0 },
	{ "PER", OUT_TEXT, "per", NULL, 0 },
	{ "ACTION", OUT_MARKED, "action", "dry_run", 0 },
	{ "EXEMPT", OUT_COUNT, "exempt", NULL, 0 },
	{},
};

static const struct out_column check_fields[] = {
	{ "type", OUT_TEXT, "check.type", NULL, 0 },
	{ "path", OUT_TEXT, "check.path", NULL, 0 },
	{ "host", OUT_TEXT, "check.host", NULL, 0 },
	{ "status", OUT_TEXT, "check.status", NULL, 0 },
	{ "port", OUT_COUNT, "check.port", NULL, 0 },
	{ "interval", OUT_MILLISECONDS, "check.interval_ms", NULL, 0 },
	{ "timeout", OUT_MILLISECONDS, "check.timeout_ms", NULL, 0 },
	{ "rise", OUT_COUNT, "check.rise", NULL, 0 },
	{ "fall", OUT_COUNT, "check.fall", NULL, 0 },
	{},
};

static const struct out_column counter_fields[] = {
	{ "connections", OUT_COUNT, "stats.connections", NULL, 0 },
	{ "packets", OUT_COUNT, "stats.packets", NULL, 0 },
	{ "bytes", OUT_BYTES, "stats.bytes", NULL, 0 },
	{ "dropped packets", OUT_COUNT, "stats.dropped_packets", NULL, 0 },
	{ "dropped bytes", OUT_BYTES, "stats.dropped_bytes", NULL, 0 },
	{ "refused packets", OUT_COUNT, "stats.refused_packets", NULL, 0 },
	{ "reply packets", OUT_COUNT, "stats.reply_packets", NULL, 0 },
	{ "reply bytes", OUT_BYTES, "stats.reply_bytes", NULL, 0 },
	{},
};

static const struct out_column backend_columns[] = {
	{ "BACKEND", OUT_TEXT, "name", NULL, 0 },
	{ "ADDRESS", OUT_ENDPOINT, "address", "port", 0 },
	{ "WEIGHT", OUT_COUNT, "weight", NULL, 0 },
	{ "STATE", OUT_STATE, "state", NULL, 0 },
	{ "FOR", OUT_SECONDS, "since_s", NULL, 0 },
	{ "LIVE", OUT_COUNT, "live", NULL, 0 },
	{ "CONNS", OUT_COUNT, "stats.connections", NULL, 0 },
	{ "PACKETS", OUT_COUNT, "stats.packets", NULL, 0 },
	{ "BYTES", OUT_BYTES, "stats.bytes", NULL, 0 },
	{ "GETS NOTHING BECAUSE", OUT_TEXT, "reason", NULL, 60 },
	{},
};

static const struct out_section show_sections[] = {
	{ .columns = fields, .fields = true },
	{ .columns = limit_columns, .title = "limits", .member = "limits", .empty = "none" },
	{ .columns = check_fields, .title = "check", .fields = true },
	{ .columns = counter_fields, .title = "counters", .fields = true },
	{ .columns = backend_columns, .title = "backends", .member = "backends" },
	{},
};

static int service_list(struct cli *cli, char *const *arguments)
{
	(void)arguments;
	return cli_show(cli, "/v1/services", list_sections);
}

static int service_show(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = cli_path("/v1/services/", arguments[0], NULL);

	return path ? cli_show(cli, path, show_sections) : CLI_FAILED;
}

const struct command cmd_service[] = {
	{ "service list", "", 0, 0, service_list, .help = "all services" },
	{ "service show", "NAME", 1, 1, service_show, "a service, its check and its backends",
	  .completes = { "@service" } },
	{},
};
