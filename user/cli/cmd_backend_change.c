/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl backend drain, enable, disable, weight, add, remove: changes at run
 * time, which last until they are taken back or saved.
 */
#include <stdint.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cmd_backend.h"
#include "cli/cmd_drain_wait.h"
#include "cli/command.h"
#include "lib/base/addr.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/base/units.h"

static const struct out_section changed_sections[] = {
	{ .columns = cmd_backend_fields, .fields = true },
	{},
};

static const struct out_column removed[] = {
	{ "service", OUT_TEXT, "service", NULL, 0 },
	{ "removed", OUT_TEXT, "removed", NULL, 0 },
	{},
};

static const struct out_section removed_sections[] = {
	{ .columns = removed, .fields = true },
	{},
};

/* Takes the reference; NULL: the user knows why already. */
static int show(const struct cli *cli, json_t *answer, const struct out_section *sections)
{
	_cleanup_(json_decrefp) json_t *owned = answer;

	if (!owned)
		return CLI_FAILED;
	out_answer(&cli->out, owned, sections);
	return CLI_DONE;
}

static int complain(const char *format, const char *word)
{
	struct diag diag = {};

	diag_set(&diag, 1, format, word);
	cli_complain(&diag);
	return CLI_USAGE;
}

/* "PATH/action" with the members of object; takes its reference. */
static json_t *post_to(const struct cli *cli, const char *path, const char *action, json_t *object)
{
	_cleanup_(json_decrefp) json_t *owned = object;
	_cleanup_(cleanup_free) char *whole = NULL;

	if (asprintf(&whole, "%s/%s", path, action) < 0) {
		whole = NULL;
		return NULL;
	}
	return cli_post(cli, whole, TAKE_PTR(owned));
}

/* ---- of a backend that there is ---------------------------------------- */

static int backend_drain(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = NULL;
	int code = cli_take_backend(arguments, 0, &path, &arguments);
	json_t *answer;

	if (code)
		return code;
	answer = post_to(cli, path, "drain",
			 json_pack("{s:s*}", "timeout", cli->options.value[OPTION_TIMEOUT]));
	if (answer && cli->options.value[OPTION_WAIT])
		return cmd_drain_wait(cli, path, answer);
	return show(cli, answer, changed_sections);
}

static int change_simply(const struct cli *cli, char *const *arguments, const char *action)
{
	_cleanup_(cleanup_free) char *path = NULL;
	int code = cli_take_backend(arguments, 0, &path, &arguments);

	return code ?: show(cli, post_to(cli, path, action, json_object()), changed_sections);
}

static int backend_enable(struct cli *cli, char *const *arguments)
{
	return change_simply(cli, arguments, "enable");
}

static int backend_disable(struct cli *cli, char *const *arguments)
{
	return change_simply(cli, arguments, "disable");
}

static bool parse_number(const char *text, unsigned least, json_int_t *ret_number)
{
	unsigned long long number;

	if (number_parse(text, &number) < 0 || number < least || number > UINT16_MAX)
		return false;
	*ret_number = (json_int_t)number;
	return true;
}

static int backend_weight(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = NULL;
	int code = cli_take_backend(arguments, 1, &path, &arguments);
	json_int_t weight;

	if (code)
		return code;
	if (!parse_number(arguments[0], 0, &weight))
		return complain("a weight is a number from 0 to 65535, not \"%s\"", arguments[0]);
	return show(cli, post_to(cli, path, "weight", json_pack("{s:I}", "weight", weight)),
		    changed_sections);
}

static int backend_remove(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = NULL;
	int code = cli_take_backend(arguments, 0, &path, &arguments);

	return code
		       ?: show(cli,
			       cli_ask(cli, &(struct request){ .method = "DELETE", .path = path }),
			       removed_sections);
}

/* ---- a new one --------------------------------------------------------- */

/* Splits "10.0.0.1:80", "[2001:db8::1]:80", or either address alone; text is
 * cut. *ret_port stays as it is where there is none.
 */
static bool split_endpoint(char *text, const char **ret_address, json_int_t *ret_port)
{
	char *end = text[0] == '[' ? strchr(text, ']') : strrchr(text, ':');
	char *port;
	struct ip ip;

	*ret_address = text;
	if (ip_parse(text, &ip) == 0)
		return true;
	if (!end)
		return false;
	port = *end == ']' ? end + 1 : end;
	if (*end == ']')
		++*ret_address;
	if (*port && (*port != ':' || !parse_number(port + 1, 1, ret_port)))
		return false;
	*end = '\0';
	return ip_parse(*ret_address, &ip) == 0 &&
	       (text[0] == '[') == (ip.family == SL_FAMILY_IPV6);
}

/* The members of the request, or NULL: *ret_code. */
static json_t *new_backend(const struct options *options, const char *endpoint, int *ret_code)
{
	_cleanup_(cleanup_free) char *text = strdup(endpoint);
	json_int_t port = -1, weight = 1; /* -1: none is given */
	const char *given = options->value[OPTION_WEIGHT];
	const char *address;

	*ret_code = CLI_FAILED;
	if (!text)
		return NULL;
	if (!split_endpoint(text, &address, &port)) {
		*ret_code =
			complain("\"%s\" is not ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT, the port "
				 "a number from 1 to 65535",
				 endpoint);
		return NULL;
	}
	if (given && !parse_number(given, 0, &weight)) {
		*ret_code = complain("--weight is a number from 0 to 65535, not \"%s\"", given);
		return NULL;
	}
	return json_pack("{s:s, s:o*, s:s*, s:I, s:b}", "address", address, "port",
			 port < 0 ? NULL : json_integer(port), "name", options->value[OPTION_NAME],
			 "weight", weight, "backup", options->value[OPTION_BACKUP] != NULL);
}

static int backend_add(struct cli *cli, char *const *arguments)
{
	_cleanup_(cleanup_free) char *path = cli_path("/v1/backends/", arguments[0], NULL);
	json_t *members;
	int code;

	if (!path)
		return CLI_FAILED;
	members = new_backend(&cli->options, arguments[1], &code);
	if (!members && code == CLI_USAGE)
		return code;
	return show(cli, cli_post(cli, path, members), changed_sections);
}

const struct command cmd_backend_change[] = {
	{ "backend drain", "SERVICE NAME", 1, 2, backend_drain,
	  "no new connections; those that it has go on until they end",
	  .options = OPTION(TIMEOUT) | OPTION(WAIT), .completes = { "@backend" } },
	{ "backend enable", "SERVICE NAME", 1, 2, backend_enable, "take back a drain, or disabling",
	  .completes = { "@backend" } },
	{ "backend disable", "SERVICE NAME", 1, 2, backend_disable,
	  "no traffic at all; its connections are cut", .completes = { "@backend" } },
	{ "backend weight", "SERVICE NAME WEIGHT", 2, 3, backend_weight,
	  "another share of the new connections", .completes = { "@backend" } },
	{ "backend add", "SERVICE ADDRESS[:PORT]", 2, 2, backend_add, "one more backend",
	  .options = OPTION(NAME) | OPTION(WEIGHT) | OPTION(BACKUP), .completes = { "@service" } },
	{ "backend remove", "SERVICE NAME", 1, 2, backend_remove,
	  "one backend less; drain it first, its connections are cut",
	  .completes = { "@backend" } },
	{},
};
