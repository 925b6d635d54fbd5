/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl attach, detach.
 */
#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"

static const struct out_column attached[] = {
	{ "attached", OUT_TEXT, "attached.name", NULL, 0 },
	{ "mode", OUT_TEXT, "attached.mode", NULL, 0 },
	{ "program", OUT_COUNT, "attached.program_id", NULL, 0 },
	{ "adopted", OUT_YES_NO, "attached.adopted", NULL, 0 },
	{ "shared", OUT_YES_NO, "attached.shared", NULL, 0 },
	{},
};

static const struct out_section attached_sections[] = {
	{ .columns = attached, .fields = true },
	{},
};

static const struct out_column detached[] = {
	{ "detached", OUT_TEXT, "detached", NULL, 0 },
	{},
};

static const struct out_section detached_sections[] = {
	{ .columns = detached, .fields = true },
	{},
};

static int attach(struct cli *cli, char *const *arguments)
{
	_cleanup_(json_decrefp) json_t *answer =
		cli_post(cli, "/v1/attach",
			 json_pack("{s:s, s:s}", "interface", arguments[0], "mode",
				   cli->options.value[OPTION_MODE] ?: "auto"));

	if (!answer)
		return CLI_FAILED;
	out_answer(&cli->out, answer, attached_sections);
	return CLI_DONE;
}

static int detach(struct cli *cli, char *const *arguments)
{
	_cleanup_(json_decrefp) json_t *answer =
		cli_post(cli, "/v1/detach", json_pack("{s:s}", "interface", arguments[0]));

	if (!answer)
		return CLI_FAILED;
	out_answer(&cli->out, answer, detached_sections);
	return CLI_DONE;
}

const struct command cmd_attach[] = {
	{ "attach", "INTERFACE", 1, 1, attach,
	  "let sluice see an interface's packets, until the next reload", .options = OPTION(MODE),
	  .completes = { "@interface" } },
	{ "detach", "INTERFACE", 1, 1, detach, "take sluice off an interface",
	  .completes = { "@interface" } },
	{},
};
