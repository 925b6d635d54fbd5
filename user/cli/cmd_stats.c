/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl stats: packets by verdict, service and backend.
 */
#include "cli/cli.h"
#include "cli/command.h"

static const struct out_column verdicts[] = {
	{ "VERDICT", OUT_TEXT, "name", NULL, 0 },
	{ "PACKETS", OUT_COUNT, "packets", NULL, 0 },
	{ "BYTES", OUT_BYTES, "bytes", NULL, 0 },
	{ "MEANING", OUT_TEXT, "text", NULL, 0 },
	{},
};

static const struct out_column services[] = {
	{ "SERVICE", OUT_TEXT, "name", NULL, 0 },
	{ "ADDRESS", OUT_ENDPOINT, "address", "port", 0 },
	{ "PROTO", OUT_TEXT, "protocol", NULL, 0 },
	{ "CONNS", OUT_COUNT, "connections", NULL, 0 },
	{ "PACKETS", OUT_COUNT, "packets", NULL, 0 },
	{ "BYTES", OUT_BYTES, "bytes", NULL, 0 },
	{ "DROPPED", OUT_COUNT, "dropped_packets", NULL, 0 },
	{ "DROP BYTES", OUT_BYTES, "dropped_bytes", NULL, 0 },
	{ "REFUSED", OUT_COUNT, "refused_packets", NULL, 0 },
	{ "REPLIES", OUT_COUNT, "reply_packets", NULL, 0 },
	{ "REPLY BYTES", OUT_BYTES, "reply_bytes", NULL, 0 },
	{},
};

static const struct out_column backends[] = {
	{ "SERVICE", OUT_TEXT, "service", NULL, 0 },
	{ "BACKEND", OUT_TEXT, "name", NULL, 0 },
	{ "ADDRESS", OUT_ENDPOINT, "address", "port", 0 },
	{ "CONNS", OUT_COUNT, "connections", NULL, 0 },
	{ "PACKETS", OUT_COUNT, "packets", NULL, 0 },
	{ "BYTES", OUT_BYTES, "bytes", NULL, 0 },
	{ "REPLIES", OUT_COUNT, "reply_packets", NULL, 0 },
	{ "REPLY BYTES", OUT_BYTES, "reply_bytes", NULL, 0 },
	{},
};

static const struct out_section sections[] = {
	{ .columns = verdicts,
	  .title = "packets, by what happened to them",
	  .member = "verdicts",
	  .empty = "no packet was seen",
	  .busy = "packets" },
	{ .columns = services, .title = "services", .member = "services", .empty = "none" },
	{ .columns = backends, .title = "backends", .member = "backends", .empty = "none" },
	{},
};

static int show_stats(struct cli *cli, char *const *arguments)
{
	(void)arguments;
	return cli_show(cli, "/v1/stats", sections);
}

const struct command cmd_stats[] = {
	{ "stats", "", 0, 0, show_stats, .help = "counters of packets, services and backends" },
	{},
};
