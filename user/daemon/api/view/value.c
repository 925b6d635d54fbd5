// SPDX-License-Identifier: BSD-2-Clause
/* Single values as JSON. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/api/view/parts.h"
#include "daemon/api/view/view.h"
#include "daemon/author.h"
#include "lib/base/cleanup.h"
#include "lib/base/prefix.h"

json_t *view_text(const char *text)
{
	_cleanup_(cleanup_free) char *ascii = NULL;
	json_t *json = json_string(text);

	if (json)
		return json;
	ascii = strdup(text);
	if (!ascii)
		return NULL;
	for (char *byte = ascii; *byte; byte++)
		if (*byte & 0x80)
			*byte = '?';
	return json_string(ascii);
}

json_t *view_merge(json_t *object, json_t *members)
{
	_cleanup_(json_decrefp) json_t *merged = object;

	return json_object_update_new(merged, members) < 0 ? NULL : TAKE_PTR(merged);
}

json_t *view_ip(const struct ip *ip)
{
	char buffer[ADDR_TEXT_SIZE];

	return json_string(ip_format(ip, buffer));
}

json_t *view_prefix(const struct prefix *prefix)
{
	char buffer[PREFIX_TEXT_SIZE];

	return prefix_is_address(prefix) ? view_ip(&prefix->ip)
					 : json_string(prefix_format(prefix, buffer));
}

const char *view_format_time(unsigned long long ms, char buffer[static VIEW_TIME_SIZE])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc = {};

	(void)gmtime_r(&seconds, &utc);
	(void)strftime(buffer, VIEW_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
	return buffer;
}

json_t *view_time(unsigned long long ms)
{
	char text[VIEW_TIME_SIZE];

	return json_string(view_format_time(ms, text));
}

json_t *view_author(const struct author *author, unsigned long long made_ms)
{
	json_t *uid = author->known ? json_integer((json_int_t)author->uid) : json_null();
	json_t *user = author->user[0] ? view_text(author->user) : json_null();

	return json_pack("{s:o, s:o, s:o}", "made", view_time(made_ms), "uid", uid, "user", user);
}
