/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl reload.
 */
#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"

static int reload(struct cli *cli, char *const *arguments)
{
	static const char *const verbs[] = { "added", "removed", "changed" };
	json_t *members =
		cli->options.value[OPTION_FORCE] ? json_pack("{s:b}", "force", 1) : json_object();
	_cleanup_(json_decrefp) json_t *answer = cli_post(cli, "/v1/reload", members);

	(void)arguments;
	if (!answer)
		return CLI_FAILED;
	cli_show_change(cli, answer, "reloaded", verbs);
	return CLI_DONE;
}

const struct command cmd_reload[] = {
	{ "reload", "", 0, 0, reload,
	  .help = "read the configuration again, and apply what differs",
	  .options = OPTION(FORCE) },
	{},
};
