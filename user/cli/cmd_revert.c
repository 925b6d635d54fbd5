/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl revert: takes changes at run time back.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"

static const struct out_column reverted[] = {
	{ "changes taken back", OUT_COUNT, "changes", NULL, 0 },
	{ "prefixes let in again", OUT_COUNT, "denied", NULL, 0 },
	{},
};

static const struct out_section sections[] = {
	{ .columns = reverted, .fields = true },
	{},
};

/* {} of all; of SERVICE, SERVICE NAME or SERVICE/NAME what is named. NULL: a word is not
 * UTF-8, or there is no memory.
 */
static json_t *members_of(char *const *arguments)
{
	const char *service = arguments[0], *slash = service ? strchr(service, '/') : NULL;
	const char *backend = slash ? slash + 1 : service ? arguments[1] : NULL;
	_cleanup_(cleanup_free) char *name =
		slash ? strndup(service, (size_t)(slash - service)) : NULL;

	if (!service)
		return json_object();
	return json_pack("{s:s, s:s*}", "service", name ?: service, "backend", backend);
}

static int revert(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = NULL;
	bool is_backend = arguments[0] && (arguments[1] || strchr(arguments[0], '/'));
	char *const *rest;
	int status = is_backend ? cli_take_backend(arguments, 0, &path, &rest) : CLI_DONE;

	if (status != CLI_DONE)
		return status;
	return cli_show_rows(cli, cli_post(cli, "/v1/revert", members_of(arguments)), sections);
}

const struct command cmd_revert[] = {
	{ "revert", "[SERVICE [NAME]]", 0, 2, revert,
	  "take back what was changed at run time: all, denials too, or that of the name",
	  .completes = { "@service", "@backend" } },
	{},
};
