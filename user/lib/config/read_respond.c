// SPDX-License-Identifier: BSD-2-Clause
/* The keys of what the responder says. The content type goes into a header of HTTP,
 * so it is printable ASCII: no line can be smuggled in behind it.
 */
#include <errno.h>

#include "lib/config/read.h"
#include "lib/config/types.h"

#define CONTENT_TYPE_MAX 127

static int read_body(struct reader *reader, const struct key *key, const struct node *node,
		     void *object)
{
	if (node->kind != NODE_TEXT)
		return node_refuse(reader->diag, node, key->what, key->want);
	if (node->length > CONFIG_BODY_MAX)
		return node_error(reader->diag, node, "%zu bytes are too many; at most %d",
				  node->length, CONFIG_BODY_MAX);
	return read_set_text(reader, node->text, key_target(key, object));
}

static int read_content_type(struct reader *reader, const struct key *key, const struct node *node,
			     void *object)
{
	if (!node_is_printable(node, CONTENT_TYPE_MAX) || node->text[0] == ' ' ||
	    node->text[node->length - 1] == ' ')
		return node_refuse(reader->diag, node, key->what, key->want);
	return read_set_text(reader, node->text, key_target(key, object));
}

static const struct key respond_keys[] = {
	{ .name = "body",
	  .type = &type_text,
	  .read = read_body,
	  MEMBER(struct respond_config, body),
	  .what = "a body",
	  .want = "write a text of up to 4096 bytes" },
	{ .name = "content_type",
	  .type = &type_text,
	  .read = read_content_type,
	  MEMBER(struct respond_config, content_type),
	  .what = "a content type",
	  .want = "1 to 127 printable ASCII characters, like application/json" },
	{ .name = "x_headers",
	  .type = &type_bool,
	  MEMBER(struct respond_config, x_headers),
	  .what = "true or false" },
	{ .name = "retry_after",
	  .type = &type_duration,
	  MEMBER(struct respond_config, retry_after_ms),
	  .default_number = 5000,
	  .min = 1000,
	  .max = 24 * 3600 * 1000,
	  .what = "a time",
	  .want = "from 1s to 24h, like 5s" },
};

const struct section section_respond = {
	SECTION("a respond section", respond_keys, struct respond_config),
};

bool config_responds(const struct service_config *service)
{
	for (size_t i = 0; i < service->n_limits; i++) {
		if (service->limits[i].action == SL_ACTION_RESPOND)
			return true;
	}
	return service->on_all_down == ON_ALL_DOWN_RESPOND;
}
