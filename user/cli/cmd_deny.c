/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl deny add, remove, list: the prefixes that are denied at run time.
 */
#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"

#define LINES "1000"

static const struct out_column added[] = {
	{ "denied", OUT_TEXT, "prefix", NULL, 0 },
	{ "ends in", OUT_SECONDS, "ends_in_s", NULL, 0 },
	{},
};

static const struct out_section added_sections[] = {
	{ .columns = added, .fields = true },
	{},
};

static const struct out_column removed[] = {
	{ "removed", OUT_TEXT, "removed", NULL, 0 },
	{},
};

static const struct out_section removed_sections[] = {
	{ .columns = removed, .fields = true },
	{},
};

static const struct out_column denied[] = {
	{ "PREFIX", OUT_TEXT, "prefix", NULL, 0 }, { "ENDS IN", OUT_SECONDS, "ends_in_s", NULL, 0 },
	{ "BY", OUT_TEXT, "user", NULL, 0 },       { "UID", OUT_COUNT, "uid", NULL, 0 },
	{ "SINCE", OUT_TEXT, "made", NULL, 0 },    {},
};

static const struct out_column configured[] = {
	{ "OF", OUT_TEXT, "scope", NULL, 0 },
	{ "ALLOWED", OUT_COUNT, "allow", NULL, 0 },
	{ "DENIED", OUT_COUNT, "deny", NULL, 0 },
	{},
};

static const struct out_section denied_section[] = {
	{ .columns = denied, .member = "denied", .empty = "nothing is denied at run time" },
	{},
};

static const struct out_section configured_section[] = {
	{ .columns = configured,
	  .title = "prefixes in the configuration",
	  .member = "configured",
	  .empty = "none" },
	{},
};

static int deny_add(struct cli *cli, char *const *arguments)
{
	return cli_show_rows(cli,
			     cli_post(cli, "/v1/denied",
				      json_pack("{s:s, s:s*}", "prefix", arguments[0], "for",
						cli->options.value[OPTION_FOR])),
			     added_sections);
}

static int deny_remove(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = cli_path("/v1/denied/", arguments[0], NULL);

	if (!path)
		return CLI_FAILED;
	return cli_show_rows(cli,
			     cli_ask(cli, &(struct request){ .method = "DELETE", .path = path }),
			     removed_sections);
}

/* "... and 3 more" belongs to the first of two tables. */
static int deny_list(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = cli_path_lines(cli, "/v1/denied", LINES);
	_cleanup_(json_decrefp) json_t *answer = path ? cli_get(cli, path) : NULL;

	(void)arguments;
	if (!answer)
		return CLI_FAILED;
	(void)cli_show_rows(cli, json_incref(answer), denied_section);
	if (!cli->out.json) {
		(void)fputc('\n', cli->out.file);
		out_answer(&cli->out, answer, configured_section);
	}
	return CLI_DONE;
}

const struct command cmd_deny[] = {
	{ "deny add", "PREFIX", 1, 1, deny_add,
	  "no service for a prefix or an address, until it is taken back", .options = OPTION(FOR) },
	{ "deny remove", "PREFIX", 1, 1, deny_remove, "serve the prefix or the address again",
	  .completes = { "@denied" } },
	{ "deny list", "", 0, 0, deny_list, "who is denied at run time", .options = OPTION(LINES) },
	{},
};
