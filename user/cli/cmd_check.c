/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl check: would the daemon take this configuration, and which services would it
 * change? The file is read here, with the rights of the user who asks.
 */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "sluice/api.h"

struct text {
	char *bytes;
	size_t length, size;
};

static void free_text(struct text *text)
{
	free(text->bytes);
}

static int read_all(FILE *file, const char *name, struct text *text, struct diag *diag)
{
	do {
		if (text->length == text->size) {
			size_t size = text->size ? text->size * 2 : 65536;
			char *bytes = realloc(text->bytes, size);

			if (!bytes)
				return diag_set(diag, ENOMEM, "out of memory for %s", name);
			text->bytes = bytes;
			text->size = size;
		}
		text->length +=
			fread(text->bytes + text->length, 1, text->size - text->length, file);
		if (ferror(file))
			return diag_set(diag, EIO, "cannot read %s: %s", name, strerror(errno));
		if (text->length > SL_API_CONFIG_MAX)
			return diag_set(diag, EFBIG, "%s is larger than %d MiB", name,
					SL_API_CONFIG_MAX >> 20);
	} while (!feof(file));
	if (!text->length)
		return diag_set(diag, EINVAL, "%s is empty", name);
	return 0;
}

static int read_file(const char *name, struct text *text, struct diag *diag)
{
	_cleanup_(cleanup_fclose) FILE *file = NULL;

	if (strcmp(name, "-") == 0)
		return read_all(stdin, "standard input", text, diag);
	file = fopen(name, "re");
	if (!file)
		return diag_set(diag, errno, "cannot open %s: %s", name, strerror(errno));
	return read_all(file, name, text, diag);
}

/* The daemon takes at most 255 bytes, so of a longer path the last part. */
static const char *name_for_messages(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (strcmp(name, "-") == 0)
		return "standard input";
	return strlen(name) > 255 && slash ? slash + 1 : name;
}

static json_t *check_file(const struct cli *cli, const char *name)
{
	_cleanup_(free_text) struct text text = {};
	_cleanup_(cleanup_free) char *path = NULL;
	struct diag diag = {};

	if (read_file(name, &text, &diag) < 0) {
		cli_complain(&diag);
		return NULL;
	}
	path = cli_path("/v1/check?name=", name_for_messages(name), NULL);
	if (!path)
		return NULL;
	return cli_ask(cli, &(struct request){ .method = "POST",
					       .path = path,
					       .type = SL_API_CONFIG_TYPE,
					       .body = text.bytes,
					       .length = text.length });
}

static int check(struct cli *cli, char *const *arguments)
{
	static const char *const verbs[] = { "a reload would add", "remove", "change" };
	_cleanup_(json_decrefp) json_t *answer =
		arguments[0]
			? check_file(cli, arguments[0])
			: cli_ask(cli, &(struct request){ .method = "POST", .path = "/v1/check" });

	if (!answer)
		return CLI_FAILED;
	cli_show_change(cli, answer, "configuration is valid", verbs);
	return CLI_DONE;
}

const struct command cmd_check[] = {
	{ "check", "[FILE]", 0, 1, check,
	  "is FILE (-: standard input; none: the daemon's own) valid?", .completes = { "@file" } },
	{},
};
