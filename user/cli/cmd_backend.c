/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl backend list, backend show.
 */
#include "cli/cmd_backend.h"

#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"

static const struct out_column list_columns[] = {
	{ "SERVICE", OUT_TEXT, "service", NULL, 0 },
	{ "BACKEND", OUT_TEXT, "name", NULL, 0 },
	{ "ADDRESS", OUT_ENDPOINT, "address", "port", 0 },
	{ "WEIGHT", OUT_COUNT, "weight", NULL, 0 },
	{ "STATE", OUT_STATE, "state", NULL, 0 },
	{ "FOR", OUT_SECONDS, "since_s", NULL, 0 },
	{ "LIVE", OUT_COUNT, "live", NULL, 0 },
	{ "SERVING", OUT_YES_NO, "serving", NULL, 0 },
	{ "REASON", OUT_TEXT, "reason", NULL, 60 },
	{},
};

static const struct out_section list_sections[] = {
	{ .columns = list_columns, .member = "backends", .empty = "no backends" },
	{},
};

const struct out_column cmd_backend_fields[] = {
	{ "service", OUT_TEXT, "service", NULL, 0 },
	{ "backend", OUT_TEXT, "name", NULL, 0 },
	{ "address", OUT_ENDPOINT, "address", "port", 0 },
	{ "role", OUT_TEXT, "role", NULL, 0 },
	{ "weight", OUT_COUNT, "weight", NULL, 0 },
	{ "of it now", OUT_PERCENT, "slow_start", NULL, 0 },
	{ "state", OUT_STATE, "state", NULL, 0 },
	{ "ends in", OUT_SECONDS, "ends_in_s", NULL, 0 },
	{ "health", OUT_STATE, "health", NULL, 0 },
	{ "serving", OUT_YES_NO, "serving", NULL, 0 },
	{ "reason", OUT_TEXT, "reason", NULL, 0 },
	{ "live", OUT_COUNT, "live", NULL, 0 },
	{ "changed at run time", OUT_YES_NO, "changed", NULL, 0 },
	{},
};

static const struct out_column check_fields[] = {
	{ "type", OUT_TEXT, "check.type", NULL, 0 },
	{ "said", OUT_TEXT, "check.text", NULL, 0 },
	{ "passed", OUT_YES_NO, "check.ok", NULL, 0 },
	{ "in a row", OUT_COUNT, "check.in_a_row", NULL, 0 },
	{ "took", OUT_MILLISECONDS, "check.duration_ms", NULL, 0 },
	{ "health for", OUT_SECONDS, "check.since_s", NULL, 0 },
	{},
};

static const struct out_column hop_fields[] = {
	{ "state", OUT_TEXT, "next_hop.state", NULL, 0 },
	{ "device", OUT_TEXT, "next_hop.device", NULL, 0 },
	{ "gateway", OUT_TEXT, "next_hop.gateway", NULL, 0 },
	{ "MAC", OUT_TEXT, "next_hop.mac", NULL, 0 },
	{ "VLAN", OUT_COUNT, "next_hop.vlan", NULL, 0 },
	{},
};

static const struct out_column counter_fields[] = {
	{ "connections", OUT_COUNT, "stats.connections", NULL, 0 },
	{ "packets", OUT_COUNT, "stats.packets", NULL, 0 },
	{ "bytes", OUT_BYTES, "stats.bytes", NULL, 0 },
	{ "reply packets", OUT_COUNT, "stats.reply_packets", NULL, 0 },
	{ "reply bytes", OUT_BYTES, "stats.reply_bytes", NULL, 0 },
	{},
};

static const struct out_section show_sections[] = {
	{ .columns = cmd_backend_fields, .fields = true },
	{ .columns = check_fields, .title = "check", .fields = true },
	{ .columns = hop_fields, .title = "next hop", .fields = true },
	{ .columns = counter_fields, .title = "counters", .fields = true },
	{},
};

/* Of one service: its page has them. */
static int list_of_service(struct cli *cli, const char *name)
{
	_cleanup_(cleanup_free) char *path = cli_path("/v1/services/", name, NULL);
	_cleanup_(json_decrefp) json_t *service = path ? cli_get(cli, path) : NULL;
	_cleanup_(json_decrefp) json_t *answer = NULL;

	if (!service)
		return CLI_FAILED;
	answer = json_pack("{s:O}", "backends", json_object_get(service, "backends"));
	out_answer(&cli->out, answer, list_sections);
	return CLI_DONE;
}

static int backend_list(struct cli *cli, char *const *arguments)
{
	if (arguments[0])
		return list_of_service(cli, arguments[0]);
	return cli_show(cli, "/v1/backends", list_sections);
}

static int backend_show(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = NULL;
	int code = cli_take_backend(arguments, 0, &path, &arguments);

	return code ?: cli_show(cli, path, show_sections);
}

const struct command cmd_backend[] = {
	{ "backend list", "[SERVICE]", 0, 1, backend_list, "backends, of all services or one",
	  .completes = { "@service" } },
	{ "backend show", "SERVICE NAME", 1, 2, backend_show,
	  "a backend, its check and its next hop; SERVICE/NAME will do",
	  .completes = { "@backend" } },
	{},
};
