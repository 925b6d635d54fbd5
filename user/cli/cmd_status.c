/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl status: first the problems, then the daemon, interfaces and services.
 */
#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"

static const struct out_list problems = { "problems:", true, 20 };
static const struct out_list changes = {
	"changed at run time (to keep it: config save; to take it back: revert):", false, 20
};

static const struct out_column daemon_fields[] = {
	{ "sluiced", OUT_TEXT, "version", NULL, 0 },
	{ "process", OUT_COUNT, "pid", NULL, 0 },
	{ "up for", OUT_SECONDS, "uptime_s", NULL, 0 },
	{ "configuration", OUT_TEXT, "config", NULL, 0 },
	{ "loaded", OUT_TEXT, "reloaded", NULL, 0 },
	{ "hash seed", OUT_TEXT, "hash_seed.text", NULL, 0 },
	{ "tracked flows", OUT_COUNT, "flows.tracked", NULL, 0 },
	{ "slots moving", OUT_COUNT, "flows.slots_in_transition", NULL, 0 },
	{},
};

static const struct out_column interfaces[] = {
	{ "INTERFACE", OUT_TEXT, "name", NULL, 16 },
	{ "STATE", OUT_TEXT, "state", NULL, 0 },
	{ "MODE", OUT_TEXT, "mode", NULL, 0 },
	{ "PROGRAM", OUT_COUNT, "program_id", NULL, 0 },
	{ "ADOPTED", OUT_YES_NO, "adopted", NULL, 0 },
	{ "SHARED", OUT_YES_NO, "shared", NULL, 0 },
	{},
};

/* Widths: 28 + 40 + 5 + 8 + 7 + gaps, within OUT_WIDTH. */
static const struct out_column services[] = {
	{ "SERVICE", OUT_TEXT, "name", NULL, 28 },
	{ "ADDRESS", OUT_ENDPOINT, "addresses", "port", 40 },
	{ "PROTO", OUT_TEXT, "protocol", NULL, 0 },
	{ "STATE", OUT_STATE, "state", NULL, 0 },
	{ "SERVING", OUT_RATIO, "backends_serving", "backends_total", 11 },
	{},
};

static const struct out_section sections[] = {
	{ .columns = daemon_fields, .fields = true },
	{ .columns = interfaces, .member = "interfaces", .empty = "no interface is attached" },
	{ .columns = services, .member = "services", .empty = "no services" },
	{},
};

static void put_list(const struct out *out, const struct out_list *list, const json_t *strings)
{
	out_list(out, list, strings);
	if (json_array_size(strings))
		(void)fputc('\n', out->file);
}

/* "backend web/web-1 drained at run time, by root (uid 0) at 2026-11-22T05:31:56Z". */
static json_t *describe_row(const json_t *row)
{
	const char *text = json_string_value(json_object_get(row, "text")) ?: "";
	const char *made = json_string_value(json_object_get(row, "made"));
	const char *user = json_string_value(json_object_get(row, "user"));
	const json_t *uid = json_object_get(row, "uid");

	if (!made)
		return json_string(text);
	if (!json_is_integer(uid))
		return json_sprintf("%s, at %s or before", text, made);
	return json_sprintf("%s, by %s (uid %" JSON_INTEGER_FORMAT ") at %s", text,
			    user ?: "a user without a name", json_integer_value(uid), made);
}

static json_t *describe_changes(const json_t *rows)
{
	json_t *sentences = json_array();
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)(void) json_array_append_new(sentences, describe_row(row));
	return sentences;
}

static int show_status(struct cli *cli, char *const *arguments)
{
	_cleanup_(json_decrefp) json_t *status = cli_get(cli, "/v1/status");

	_cleanup_(json_decrefp) json_t *made =
		describe_changes(json_object_get(status, "run_time"));

	(void)arguments;
	if (!status)
		return CLI_FAILED;
	if (!cli->out.json) {
		put_list(&cli->out, &problems, json_object_get(status, "problems"));
		put_list(&cli->out, &changes, made);
	}
	out_answer(&cli->out, status, sections);
	return CLI_DONE;
}

const struct command cmd_status[] = {
	{ "status", "", 0, 0, show_status, .help = "what is wrong, and what runs" },
	{},
};
