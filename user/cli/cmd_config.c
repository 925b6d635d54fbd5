/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl config show, save.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"

/* Line by line: every control character but the end of a line is made harmless. */
static int put_lines(const struct out *out, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		_cleanup_(cleanup_free) char *line = strndup(text, length);
		_cleanup_(cleanup_free) char *clean = line ? out_clean(line) : NULL;

		if (!clean)
			return CLI_FAILED;
		(void)fprintf(out->file, "%s\n", clean);
		text += length + (text[length] == '\n');
	}
	return CLI_DONE;
}

static int config_show(struct cli *cli, char *const *arguments)
{
	const struct request request = { .method = "GET", .path = "/v1/config", .text = true };
	_cleanup_(json_decrefp) json_t *config = cli_ask(cli, &request);
	_cleanup_(json_decrefp) json_t *answer = NULL;

	(void)arguments;
	if (!config)
		return CLI_FAILED;
	if (!cli->out.json)
		return put_lines(&cli->out, json_string_value(config));
	answer = json_pack("{s:O}", "config", config);
	out_answer(&cli->out, answer, NULL);
	return CLI_DONE;
}

static const struct out_column saved[] = {
	{ "written to", OUT_TEXT, "file", NULL, 0 },
	{ "changes", OUT_COUNT, "changes", NULL, 0 },
	{},
};

static const struct out_section saved_sections[] = {
	{ .columns = saved, .fields = true },
	{},
};

static int config_save(struct cli *cli, char *const *arguments)
{
	_cleanup_(json_decrefp) json_t *answer =
		cli_ask(cli, &(struct request){ .method = "POST", .path = "/v1/config/save" });

	(void)arguments;
	if (!answer)
		return CLI_FAILED;
	if (!cli->out.json && !json_integer_value(json_object_get(answer, "changes")))
		(void)fputs("nothing was changed at run time: the file stays as it is\n",
			    cli->out.file);
	else
		out_answer(&cli->out, answer, saved_sections);
	return CLI_DONE;
}

const struct command cmd_config[] = {
	{ "config show", "", 0, 0, config_show,
	  .help = "the configuration that runs, with what was changed at run time" },
	{ "config save", "", 0, 0, config_save,
	  .help = "write what runs to the daemon's file; the old one is FILE.old then" },
	{},
};
