// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a health check, of a service or under defaults:. What goes into a
 * request (path, host) is printable ASCII without spaces, so that no line can
 * be smuggled into it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base/units.h"
#include "lib/config/read.h"
#include "lib/config/types.h"
#include "lib/config/writer.h"

#define PATH_MAX_LENGTH 1024
#define HOST_MAX_LENGTH 255

/* The type of a check that says none, until the service's protocol is known. */
#define TYPE_UNSAID CHECK_TYPE_COUNT

/* Every character printable ASCII, no space, none of refused. */
static bool is_graphic(const struct node *node, const char *refused)
{
	for (size_t i = 0; i < node->length; i++) {
		if (node->text[i] <= 0x20 || node->text[i] >= 0x7f ||
		    strchr(refused, node->text[i]))
			return false;
	}
	return true;
}

static int read_path(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	if (node->kind != NODE_TEXT || node->text[0] != '/' || node->length > PATH_MAX_LENGTH ||
	    !is_graphic(node, "#"))
		return node_refuse(reader->diag, node, key->what, key->want);
	return read_set_text(reader, node->text, key_target(key, object));
}

static int read_host(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	if (node->kind != NODE_TEXT || !node->length || node->length > HOST_MAX_LENGTH ||
	    !is_graphic(node, "/?#@"))
		return node_refuse(reader->diag, node, key->what, key->want);
	return read_set_text(reader, node->text, key_target(key, object));
}

/* "200-299" or "204" */
static int parse_status(const char *text, struct status_range *ret_range)
{
	unsigned long long first, last;
	char low[4] = "";
	const char *dash = strchr(text, '-');

	if (dash) {
		if (dash - text != 3)
			return -EINVAL;
		memcpy(low, text, 3);
	}
	if (number_parse(dash ? low : text, &first) || number_parse(dash ? dash + 1 : text, &last))
		return -EINVAL;
	if (first < 100 || last > 599 || first > last)
		return -EINVAL;
	ret_range->first = (unsigned short)first;
	ret_range->last = (unsigned short)last;
	return 0;
}

static int read_statuses(struct reader *reader, const struct key *key, const struct node *node,
			 void *object)
{
	struct check_config *check = object;
	const struct node *item = node->kind == NODE_LIST ? node->first : node;
	size_t n = 0;

	if (node->kind == NODE_LIST && (!item || node_count(node) > CONFIG_STATUS_RANGES))
		return node_error(reader->diag, node, "a list of HTTP statuses has 1 to %d of them",
				  CONFIG_STATUS_RANGES);
	for (; item; item = node->kind == NODE_LIST ? item->next : NULL) {
		if (item->kind != NODE_TEXT || parse_status(item->text, &check->status[n]) != 0)
			return node_refuse(reader->diag, item, key->what, key->want);
		n++;
	}
	check->n_status = n;
	return 0;
}

static void emit_statuses(struct writer *writer, const struct key *key, const void *object)
{
	const struct check_config *check = object;

	(void)key;
	emit_list(&writer->emit, LAYOUT_FLOW);
	for (size_t i = 0; i < check->n_status; i++) {
		const struct status_range *range = &check->status[i];

		if (range->first == range->last)
			emit_format(&writer->emit, "%u", range->first);
		else
			emit_format(&writer->emit, "%u-%u", range->first, range->last);
	}
	emit_list_end(&writer->emit);
}

static bool equal_statuses(const struct key *key, const void *left, const void *right)
{
	const struct check_config *a = left, *b = right;

	(void)key;
	return a->n_status == b->n_status &&
	       !memcmp(a->status, b->status, a->n_status * sizeof(a->status[0]));
}

static const struct type type_statuses = {
	.read = read_statuses,
	.emit = emit_statuses,
	.equal = equal_statuses,
};

/* The members of a check from status to n_status. */
static const struct {
	struct status_range status[CONFIG_STATUS_RANGES];
	size_t n_status;
} success = { .status = { { 200, 299 } }, .n_status = 1 };

_Static_assert(sizeof(success) == offsetof(struct check_config, n_status) + sizeof(size_t) -
					  offsetof(struct check_config, status),
	       "the members of a check");

/* By the service's protocol; under defaults: there is no service yet. */
static int default_type(const struct key *key, const struct scope *scope, const void *object,
			void *to)
{
	(void)object;
	if (scope->service)
		key_set_number(key, to,
			       scope->service->proto == IPPROTO_UDP ? CHECK_NONE : CHECK_TCP);
	return 0;
}

static const struct key check_keys[] = {
	{ .name = "type",
	  .type = &type_word,
	  MEMBER(struct check_config, type),
	  .default_number = TYPE_UNSAID,
	  .default_from = default_type,
	  .what = "a check",
	  .words = config_check_words },
	{ .name = "interval",
	  .type = &type_duration,
	  MEMBER(struct check_config, interval_ms),
	  .default_number = 2000,
	  .min = 100,
	  .max = 3600 * 1000,
	  .what = "an interval",
	  .want = "from 100ms to 1h, like 2s" },
	{ .name = "timeout",
	  .type = &type_duration,
	  MEMBER(struct check_config, timeout_ms),
	  .default_number = 1000,
	  .min = 10,
	  .max = 600 * 1000,
	  .what = "a timeout",
	  .want = "from 10ms to 10m, like 1s" },
	{ .name = "rise",
	  .type = &type_number,
	  MEMBER(struct check_config, rise),
	  .default_number = 2,
	  .min = 1,
	  .max = 100,
	  .what = "a count of checks" },
	{ .name = "fall",
	  .type = &type_number,
	  MEMBER(struct check_config, fall),
	  .default_number = 3,
	  .min = 1,
	  .max = 100,
	  .what = "a count of checks" },
	{ .name = "jitter",
	  .type = &type_percent,
	  MEMBER(struct check_config, jitter_percent),
	  .default_number = 10,
	  .min = 0,
	  .max = 50,
	  .what = "a jitter",
	  .want = "from 0% to 50%, like 10%" },
	{ .name = "port", .type = &type_port, MEMBER(struct check_config, port) },
	{ .name = "path",
	  .type = &type_text,
	  .read = read_path,
	  MEMBER(struct check_config, path),
	  .conditional = true,
	  .default_text = "/",
	  .what = "a path",
	  .want = "up to 1024 printable ASCII characters, the first a /, no space and no #" },
	{ .name = "host",
	  .type = &type_text,
	  .read = read_host,
	  MEMBER(struct check_config, host),
	  .conditional = true,
	  .what = "a host",
	  .want = "a name or address, a port behind it if need be, like www.example.net" },
	{ .name = "status",
	  .type = &type_statuses,
	  MEMBERS(struct check_config, status, n_status),
	  .default_bytes = &success,
	  .conditional = true,
	  .what = "an HTTP status",
	  .want = "one like 204 or a range like 200-299, from 100 to 599, or a list of these" },
};

const struct section section_check = {
	SECTION("a check", check_keys, struct check_config),
	.has_short = true,
};

/* Keys of HTTP on a check that is none: a mistake. */
static int refuse_http_keys(const struct reader *reader, const struct node *node)
{
	const struct node *value = section_find_conditional(&section_check, node);

	if (!value)
		return 0;
	return node_error(reader->diag, value->parent,
			  "is for http checks alone; write type: http beside it, or leave it out");
}

int read_check_defaults(struct reader *reader, const struct key *key, const struct node *node,
			void *object)
{
	const struct check_config *check = &reader->check;
	int error;

	(void)key;
	(void)object;
	error = read_section_or_short(&section_check, reader, node, &reader->check);
	if (error || check->type == TYPE_UNSAID || check_speaks_http(check->type))
		return error;
	return refuse_http_keys(reader, node);
}

/* So that two checks that do the same are the same in every field. */
static int forget_http_keys(const struct reader *reader, struct check_config *check)
{
	for (size_t i = 0; i < section_check.n_keys; i++) {
		if (check_keys[i].conditional && key_reset(&check_keys[i], check) != 0)
			return read_out_of_memory(reader);
	}
	return 0;
}

int read_check(struct reader *reader, const struct key *key, const struct node *node, void *object)
{
	struct check_config *check = key_target(key, object);
	int error;

	section_done(&section_check, check);
	if (section_copy(&section_check, &reader->check, check) != 0)
		return read_out_of_memory(reader);
	error = node ? read_section_or_short(&section_check, reader, node, check) : 0;
	if (error)
		return error;
	if (section_derive(&section_check, &reader->scope, check) != 0)
		return read_out_of_memory(reader);
	if (check_speaks_http(check->type))
		return 0;
	error = node ? refuse_http_keys(reader, node) : 0;
	return error ? error : forget_http_keys(reader, check);
}
