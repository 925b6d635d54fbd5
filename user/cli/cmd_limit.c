/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl limit list, top, show, reset.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/cmd_limit_watch.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/base/units.h"

#define LINES          "50"
#define WATCH_MS       1000
#define WATCH_LEAST_MS 100
#define WATCH_MOST_MS  (3600 * 1000)

/* Columns that several tables have in a row. clang-format sees blocks in these. */
/* clang-format off */
#define LIMIT_COLUMNS /* which limit it is about */      \
	{ "SERVICE", OUT_TEXT, "service", NULL, 28 },    \
	{ "#", OUT_COUNT, "number", NULL, 0 }

#define STATE_COLUMNS /* its state at the limit */      \
	{ "LIMIT", OUT_TEXT, "rate", NULL, 0 },          \
	{ "STATE", OUT_STATE, "state", NULL, 0 },        \
	{ "REMAINING", OUT_AMOUNT, "remaining", "count", 0 }

#define REFUSED_COLUMNS /* and its refusals */            \
	{ "RESETS IN", OUT_SPAN, "resets_in_ms", NULL, 0 }, \
	{ "REFUSED", OUT_COUNT, "refused", NULL, 0 },       \
	{ "SINCE", OUT_TEXT, "since", NULL, 0 },            \
	{ "FOR", OUT_SECONDS, "since_s", NULL, 0 }
/* clang-format on */

static const struct out_column limits[] = {
	LIMIT_COLUMNS,
	{ "LIMIT", OUT_TEXT, "rate", NULL, 0 },
	{ "BURST", OUT_AMOUNT, "burst", "count", 0 },
	{ "COUNT", OUT_TEXT, "count", NULL, 0 },
	{ "ALGORITHM", OUT_TEXT, "algorithm", NULL, 0 },
	{ "PER", OUT_TEXT, "per", NULL, 0 },
	{ "ACTION", OUT_MARKED, "action", "dry_run", 0 },
	{},
};

/* In packets, but for SOURCES and EVICTED. */
static const struct out_column counters[] = {
	LIMIT_COLUMNS,
	{ "SOURCES", OUT_COUNT, "sources", NULL, 0 },
	{ "BY GATE", OUT_COUNT, "stats.gate", NULL, 0 },
	{ "BY BUCKET", OUT_COUNT, "stats.bucket", NULL, 0 },
	{ "REFUSED", OUT_COUNT, "stats.refused", NULL, 0 },
	{ "EXEMPT", OUT_COUNT, "stats.exempt", NULL, 0 },
	{ "UNDER PRESSURE", OUT_COUNT, "stats.pressure", NULL, 0 },
	{ "EVICTED", OUT_COUNT, "stats.evicted", NULL, 0 },
	{},
};

static const struct out_column top_columns[] = {
	{ "SOURCE", OUT_TEXT, "source", NULL, 0 },
	LIMIT_COLUMNS,
	STATE_COLUMNS,
	REFUSED_COLUMNS,
	{},
};

/* Of one service. */
static const struct out_column sources[] = {
	{ "SOURCE", OUT_TEXT, "source", NULL, 0 },
	{ "#", OUT_COUNT, "number", NULL, 0 },
	STATE_COLUMNS,
	REFUSED_COLUMNS,
	{},
};

/* ---- list -------------------------------------------------------------- */

static const struct out_section list_sections[] = {
	{ .columns = limits, .member = "limits" },
	{ .columns = counters, .title = "what they did, in packets", .member = "limits" },
	{},
};

static const struct out_section service_sections[] = {
	{ .columns = limits, .member = "limits" },
	{ .columns = counters, .title = "what they did, in packets", .member = "limits" },
	{ .columns = sources,
	  .title = "sources that have a bucket, most refused first",
	  .member = "sources",
	  .empty = "none" },
	{},
};

static const struct out_section no_sections[] = {
	{ .columns = limits, .member = "limits", .empty = "no limits" },
	{},
};

static int limit_list(struct cli *cli, char *const *arguments)
{
	const struct out_section *sections = arguments[0] ? service_sections : list_sections;
	_cleanup_(cleanup_free) char *base = NULL, *path = NULL;
	json_t *answer;

	if (arguments[0])
		base = cli_path("/v1/limits/", arguments[0], NULL);
	else
		base = strdup("/v1/limits");
	path = base ? cli_path_lines(cli, base, LINES) : NULL;
	answer = path ? cli_get(cli, path) : NULL;
	if (!json_array_size(json_object_get(answer, "limits")))
		sections = no_sections;
	return cli_show_rows(cli, answer, sections);
}

/* ---- top --------------------------------------------------------------- */

static const struct out_section top_sections[] = {
	{ .columns = top_columns,
	  .member = "sources",
	  .empty = "no source is over a limit, or was lately" },
	{},
};

static int limit_top(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = NULL;
	unsigned long long interval = WATCH_MS;
	const char *watch = cli->options.value[OPTION_WATCH];
	struct diag diag = {};

	(void)arguments;
	if (watch && *watch &&
	    (duration_parse(watch, &interval) < 0 || interval < WATCH_LEAST_MS ||
	     interval > WATCH_MOST_MS)) {
		diag_set(&diag, 1,
			 "--watch takes a duration from 100ms to 1h, such as 2s, not \"%s\"",
			 watch);
		cli_complain(&diag);
		return CLI_USAGE;
	}
	if (watch)
		return cmd_limit_watch(cli, top_sections, interval);
	path = cli_path_lines(cli, "/v1/sources", LINES);
	return path ? cli_show_rows(cli, cli_get(cli, path), top_sections) : CLI_FAILED;
}

/* ---- one address ------------------------------------------------------- */

static const struct out_column show_fields[] = {
	{ "source", OUT_TEXT, "address", NULL, 0 },
	{},
};

static const struct out_column denials[] = {
	{ "DENIED TO USE", OUT_TEXT, "scope", NULL, 0 },
	{ "BY", OUT_TEXT, "by", NULL, 0 },
	{ "BECAUSE IT IS", OUT_TEXT, "reason", NULL, 0 },
	{ "ENDS IN", OUT_SECONDS, "ends_in_s", NULL, 0 },
	{},
};

static const struct out_column show_columns[] = {
	LIMIT_COLUMNS,   { "SOURCE", OUT_TEXT, "source", NULL, 0 },
	STATE_COLUMNS,   { "OF", OUT_AMOUNT, "limit", "count", 0 },
	REFUSED_COLUMNS, {},
};

static const struct out_section show_sections[] = {
	{ .columns = show_fields, .fields = true },
	{ .columns = denials, .member = "denied", .empty = "not denied" },
	{ .columns = show_columns, .member = "limits", .empty = "no limit binds it" },
	{},
};

static int limit_show(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = cli_path("/v1/sources/", arguments[0], NULL);

	return path ? cli_show_rows(cli, cli_get(cli, path), show_sections) : CLI_FAILED;
}

static int limit_reset(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = cli_path("/v1/sources/", arguments[0], arguments[1]);
	_cleanup_(json_decrefp) json_t *answer = NULL;
	json_int_t n;

	if (!path)
		return CLI_FAILED;
	answer = cli_ask(cli, &(struct request){ .method = "DELETE", .path = path });
	if (!answer)
		return CLI_FAILED;
	n = json_integer_value(json_object_get(answer, "forgotten"));
	if (cli->out.json)
		out_answer(&cli->out, answer, NULL);
	else if (n)
		(void)fprintf(cli->out.file, "forgot %" JSON_INTEGER_FORMAT " bucket%s\n", n,
			      n == 1 ? "" : "s");
	else
		(void)fprintf(cli->out.file, "no bucket to forget\n");
	return CLI_DONE;
}

const struct command cmd_limit[] = {
	{ "limit list", "[SERVICE]", 0, 1, limit_list,
	  "limits and what they did; of SERVICE the sources, too", .options = OPTION(LINES),
	  .completes = { "@service" } },
	{ "limit top", "", 0, 0, limit_top,
	  "who is over a limit, or was lately; most refused first",
	  .options = OPTION(LINES) | OPTION(WATCH) },
	{ "limit show", "ADDRESS", 1, 1, limit_show,
	  "what a source may still send to whom, and whether it is denied",
	  .completes = { "@source" } },
	{ "limit reset", "ADDRESS|all [SERVICE]", 1, 2, limit_reset,
	  "forget what a source has sent, to all services or to one",
	  .completes = { "all @source", "@service" } },
	{},
};
