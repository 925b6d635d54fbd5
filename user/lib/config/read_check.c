// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a health check, of a service or under defaults:. What goes into a
 * request (path, host) is printable ASCII without spaces, so that no line can
 * be smuggled into it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/units.h"
#include "lib/config/read.h"

#define PATH_MAX_LENGTH 1024
#define HOST_MAX_LENGTH 255

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
		     void *target)
{
	if (node->kind != NODE_TEXT || node->text[0] != '/' || node->length > PATH_MAX_LENGTH ||
	    !is_graphic(node, "#"))
		return node_refuse(reader->diag, node, key->what, key->want);
	return read_set_text(reader, node->text, target);
}

static int read_host(struct reader *reader, const struct key *key, const struct node *node,
		     void *target)
{
	if (node->kind != NODE_TEXT || !node->length || node->length > HOST_MAX_LENGTH ||
	    !is_graphic(node, "/?#@"))
		return node_refuse(reader->diag, node, key->what, key->want);
	return read_set_text(reader, node->text, target);
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

static int read_status(struct reader *reader, const struct key *key, const struct node *node,
		       void *target)
{
	struct check_config *check = target;
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

static const struct key check_keys[] = {
	{ .name = "type",
	  .read = read_word,
	  .offset = offsetof(struct check_config, type),
	  .what = "a check",
	  .words = config_check_words },
	{ .name = "interval",
	  .read = read_duration,
	  .offset = offsetof(struct check_config, interval_ms),
	  .min = 100,
	  .max = 3600 * 1000,
	  .what = "an interval",
	  .want = "from 100ms to 1h, like 2s" },
	{ .name = "timeout",
	  .read = read_duration,
	  .offset = offsetof(struct check_config, timeout_ms),
	  .min = 10,
	  .max = 600 * 1000,
	  .what = "a timeout",
	  .want = "from 10ms to 10m, like 1s" },
	{ .name = "rise",
	  .read = read_number,
	  .offset = offsetof(struct check_config, rise),
	  .min = 1,
	  .max = 100,
	  .what = "a count of checks" },
	{ .name = "fall",
	  .read = read_number,
	  .offset = offsetof(struct check_config, fall),
	  .min = 1,
	  .max = 100,
	  .what = "a count of checks" },
	{ .name = "jitter",
	  .read = read_percent,
	  .offset = offsetof(struct check_config, jitter_percent),
	  .min = 0,
	  .max = 50,
	  .what = "a jitter",
	  .want = "from 0% to 50%, like 10%" },
	{ .name = "port", .read = read_port, .offset = offsetof(struct check_config, port) },
	{ .name = "path",
	  .read = read_path,
	  .offset = offsetof(struct check_config, path),
	  .what = "a path",
	  .want = "up to 1024 printable ASCII characters, the first a /, no space and no #" },
	{ .name = "host",
	  .read = read_host,
	  .offset = offsetof(struct check_config, host),
	  .what = "a host",
	  .want = "a name or address, a port behind it if need be, like www.example.net" },
	{ .name = "status",
	  .read = read_status,
	  .what = "an HTTP status",
	  .want = "one like 204 or a range like 200-299, from 100 to 599, or a list of these" },
};

static const struct section check_section = SECTION("a check", check_keys);

static void set_success_status(struct check_config *check)
{
	check->status[0] = (struct status_range){ 200, 299 };
	check->n_status = 1;
}

int check_config_init(struct check_config *ret_check)
{
	*ret_check = (struct check_config){
		.type = CHECK_TCP,
		.interval_ms = 2000,
		.timeout_ms = 1000,
		.rise = 2,
		.fall = 3,
		.jitter_percent = 10,
		.path = strdup("/"),
	};
	set_success_status(ret_check);
	return ret_check->path ? 0 : -ENOMEM;
}

void check_config_done(struct check_config *check)
{
	free(check->path);
	free(check->host);
	check->path = NULL;
	check->host = NULL;
}

/* Reads what a map says, or the one word that stands for its type. */
static int read_check_keys(struct reader *reader, const struct node *node,
			   struct check_config *check, bool *has_type)
{
	if (node->kind == NODE_TEXT && !node_is_empty(node)) {
		*has_type = true;
		return read_word(reader, &check_keys[0], node, &check->type);
	}
	if (node_get(node, "type"))
		*has_type = true;
	return read_section(&check_section, reader, node, check);
}

/* Keys of HTTP on a check that is none: a mistake. */
static int refuse_http_keys(const struct reader *reader, const struct node *node)
{
	static const char *const names[] = { "path", "host", "status" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct node *value = node_get(node, names[i]);

		if (value)
			return node_error(reader->diag, value->parent,
					  "is for http checks alone; write type: http beside it, "
					  "or leave it out");
	}
	return 0;
}

int read_check_defaults(struct reader *reader, const struct key *key, const struct node *node,
			void *target)
{
	int error;

	(void)key;
	(void)target;
	error = read_check_keys(reader, node, &reader->check, &reader->check_has_type);
	if (error)
		return error;
	if (reader->check_has_type && !check_speaks_http(reader->check.type))
		return refuse_http_keys(reader, node);
	return 0;
}

/* So that two checks that do the same are the same in every field. */
static int forget_http_keys(struct reader *reader, struct check_config *check)
{
	free(check->host);
	check->host = NULL;
	set_success_status(check);
	return read_set_text(reader, "/", &check->path);
}

int read_check(struct reader *reader, const struct node *node, __u8 proto,
	       struct check_config *check)
{
	bool has_type = reader->check_has_type;
	int error;

	*check = reader->check;
	check->path = strdup(reader->check.path);
	check->host = reader->check.host ? strdup(reader->check.host) : NULL;
	if (!check->path || (reader->check.host && !check->host))
		return read_out_of_memory(reader);
	error = node ? read_check_keys(reader, node, check, &has_type) : 0;
	if (error)
		return error;
	if (!has_type)
		check->type = proto == IPPROTO_UDP ? CHECK_NONE : CHECK_TCP;
	if (check_speaks_http(check->type))
		return 0;
	error = node ? refuse_http_keys(reader, node) : 0;
	if (error)
		return error;
	return forget_http_keys(reader, check);
}
