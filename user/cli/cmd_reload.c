/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl reload.
 */
#include "cli/cli.h"
#include "lib/cleanup.h"

int cmd_reload(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_json) json_t *answer =
		cli_ask(cli, &(struct request){ .method = "POST", .path = "/v1/reload" });
	json_int_t services, backends, added, removed, changed;

	(void)arguments;
	if (!answer)
		return CLI_FAILED;
	if (cli->out.json) {
		out_answer(&cli->out, answer, NULL);
		return CLI_DONE;
	}
	services = json_integer_value(json_object_get(answer, "services"));
	backends = json_integer_value(json_object_get(answer, "backends"));
	added = json_integer_value(json_object_get(answer, "added"));
	removed = json_integer_value(json_object_get(answer, "removed"));
	changed = json_integer_value(json_object_get(answer, "changed"));
	(void)fprintf(cli->out.file,
		      "reloaded: %" JSON_INTEGER_FORMAT " services, %" JSON_INTEGER_FORMAT
		      " backends; added %" JSON_INTEGER_FORMAT ", removed %" JSON_INTEGER_FORMAT
		      ", changed %" JSON_INTEGER_FORMAT " services\n",
		      services, backends, added, removed, changed);
	return CLI_DONE;
}
