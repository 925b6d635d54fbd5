// SPDX-License-Identifier: BSD-2-Clause
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

/* How errors are written: a property of stderr, as colour is one of stdout. */
static bool in_json;

void cli_complain_in_json(void)
{
	in_json = true;
}

/* ---- as JSON ------------------------------------------------------------- */

static json_t *json_text(const char *text)
{
	_cleanup_(cleanup_free) char *ascii = strdup(text);
	json_t *json = json_string(text);

	for (char *byte = ascii; !json && byte && *byte; byte++)
		if (*byte & 0x80)
			*byte = '?';
	return json ?: json_string(ascii ?: "");
}

static json_t *json_diag(const char *member, const struct diag *diag)
{
	json_t *object = json_pack("{s:o}", member, json_text(diag->text));

	if (diag->file[0])
		(void)json_object_set_new(object, "file", json_text(diag->file));
	if (!diag->line)
		return object;
	(void)json_object_set_new(object, "line", json_integer(diag->line));
	(void)json_object_set_new(object, "column", json_integer(diag->column));
	return object;
}

static void complain_json(const struct diag *diag)
{
	_cleanup_(json_decrefp) json_t *object = json_diag("error", diag);
	const struct diag_list *list = diag->list;
	json_t *errors = json_array(), *warnings = json_array();

	for (size_t i = 0; list && i < list->n; i++)
		(void)json_array_append_new(list->items[i].warning ? warnings : errors,
					    json_diag("text", &list->items[i].diag));
	if (list && list->n_errors) {
		(void)json_object_set(object, "errors", errors);
		(void)json_object_set(object, "warnings", warnings);
	}
	json_decref(errors);
	json_decref(warnings);
	(void)json_dumpf(object, stderr, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	(void)fputc('\n', stderr);
}

/* ---- for people ---------------------------------------------------------- */

static void complain_item(const struct diag_item *item)
{
	_cleanup_(cleanup_free) char *clean = NULL;
	char text[DIAG_LINE_SIZE];

	diag_item_format(item, text);
	clean = out_clean(text);
	(void)fprintf(stderr, "%s%s\n",
		      item->diag.file[0] ? "" : "sluicectl: ", clean ?: "out of memory");
}

static void complain_list(const struct diag_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		complain_item(&list->items[i]);
}

void cli_complain(const struct diag *diag)
{
	const struct diag_item item = { .diag = *diag };

	if (in_json)
		return complain_json(diag);
	if (diag->list)
		complain_list(diag->list);
	if (!diag->list || !diag->list->n_errors)
		complain_item(&item);
}

/* ---- the daemon ---------------------------------------------------------- */

json_t *cli_ask(const struct cli *cli, const struct request *request)
{
	_cleanup_(diag_list_done) struct diag_list list = {};
	struct diag diag = { .list = &list };
	json_t *answer = NULL;
	int error = client_ask(cli->options.value[OPTION_SOCKET], request, &diag, &answer);

	if (error) {
		cli_complain(&diag);
		*cli->failure = error == -EINVAL ? CLI_USAGE : CLI_FAILED;
	}
	return answer;
}

json_t *cli_get(const struct cli *cli, const char *path)
{
	return cli_ask(cli, &(struct request){ .method = "GET", .path = path });
}

json_t *cli_post(const struct cli *cli, const char *path, json_t *object)
{
	_cleanup_(json_decrefp) json_t *owned = object;
	_cleanup_(cleanup_free) char *body = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
	struct diag diag = {};

	if (!body) {
		diag_set(&diag, 1, "there is nothing of this name: it is not UTF-8");
		cli_complain(&diag);
		return NULL;
	}
	return cli_ask(cli, &(struct request){ .method = "POST",
					       .path = path,
					       .body = body,
					       .length = strlen(body) });
}

int cli_show(const struct cli *cli, const char *path, const struct out_section *sections)
{
	_cleanup_(json_decrefp) json_t *answer = cli_get(cli, path);

	if (!answer)
		return CLI_FAILED;
	out_answer(&cli->out, answer, sections);
	return CLI_DONE;
}

static void put_count(FILE *file, const json_t *answer, const char *noun)
{
	char member[32];
	json_int_t count;

	(void)snprintf(member, sizeof(member), "%ss", noun);
	count = json_integer_value(json_object_get(answer, member));
	(void)fprintf(file, "%" JSON_INTEGER_FORMAT " %s%s", count, noun, count == 1 ? "" : "s");
}

void cli_show_change(const struct cli *cli, const json_t *answer, const char *beginning,
		     const char *const verbs[static 3])
{
	static const char *const members[] = { "added", "removed", "changed" };
	_cleanup_(diag_list_done) struct diag_list list = {};
	struct diag diag = { .list = &list };
	FILE *file = cli->out.file;

	if (cli->out.json)
		return out_answer(&cli->out, answer, NULL);
	(void)fprintf(file, "%s: ", beginning);
	put_count(file, answer, "service");
	(void)fputs(", ", file);
	put_count(file, answer, "backend");
	for (size_t i = 0; i < 3; i++)
		(void)fprintf(file, "%s %s %" JSON_INTEGER_FORMAT, i ? "," : ";", verbs[i],
			      json_integer_value(json_object_get(answer, members[i])));
	(void)fputs(" services\n", file);
	if (json_integer_value(json_object_get(answer, "waiting")))
		(void)fprintf(file,
			      "%" JSON_INTEGER_FORMAT " of them wait until what they replace "
			      "has made room in the maps, and are tried again: sluicectl status\n",
			      json_integer_value(json_object_get(answer, "waiting")));
	client_take_findings(answer, &diag);
	complain_list(&list);
}

/* Encodes all bytes but those of RFC 3986 section 2.3. */
static void put_encoded(FILE *file, const char *name)
{
	for (; *name; name++) {
		unsigned char byte = (unsigned char)*name;

		if ((byte < 0x80 && isalnum(byte)) || strchr("-._~", byte))
			(void)fputc(byte, file);
		else
			(void)fprintf(file, "%%%02X", byte);
	}
}

char *cli_path(const char *base, const char *name, const char *second)
{
	char *path = NULL;
	size_t size;
	FILE *file = open_memstream(&path, &size);

	if (!file)
		return NULL;
	(void)fputs(base, file);
	put_encoded(file, name);
	if (second) {
		(void)fputc('/', file);
		put_encoded(file, second);
	}
	if (fclose(file) != 0)
		free(TAKE_PTR(path));
	return path;
}

char *cli_path_lines(const struct cli *cli, const char *path, const char *lines)
{
	_cleanup_(cleanup_free) char *base = NULL;

	if (asprintf(&base, "%s?lines=", path) < 0) {
		base = NULL;
		return NULL;
	}
	return cli_path(base, cli->options.value[OPTION_LINES] ?: lines, NULL);
}

int cli_show_rows(const struct cli *cli, json_t *answer, const struct out_section *sections)
{
	_cleanup_(json_decrefp) json_t *owned = answer;
	json_int_t more = json_integer_value(json_object_get(answer, "more"));

	if (!owned)
		return CLI_FAILED;
	out_answer(&cli->out, owned, sections);
	if (more > 0 && !cli->out.json)
		(void)fprintf(cli->out.file, "... and %" JSON_INTEGER_FORMAT " more\n", more);
	return CLI_DONE;
}

int cli_take_backend(char *const *arguments, int more, char **ret_path, char *const **ret_rest)
{
	_cleanup_(cleanup_free) char *service = strdup(arguments[0]);
	char *slash = service ? strchr(service, '/') : NULL;
	const char *name = slash ? slash + 1 : arguments[1];
	char *const *rest = arguments + (slash || !name ? 1 : 2);
	struct diag diag = {};
	int n = 0;

	if (slash)
		*slash = '\0';
	while (rest[n])
		n++;
	if (!name || !*name || n < more) {
		diag_set(&diag, 1, "name a backend%s: SERVICE NAME, or SERVICE/NAME%s",
			 more ? ", and say to what" : " too", more ? ", then a number" : "");
		cli_complain(&diag);
		return CLI_USAGE;
	}
	if (n > more) {
		diag_set(&diag, 1, "there is one argument too many: %s", rest[more]);
		cli_complain(&diag);
		return CLI_USAGE;
	}
	*ret_path = service ? cli_path("/v1/backends/", service, name) : NULL;
	*ret_rest = rest;
	return *ret_path ? CLI_DONE : CLI_FAILED;
}
