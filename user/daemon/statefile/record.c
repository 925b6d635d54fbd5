// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/statefile/record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"

/* The latest time that is believed: the year 9999. */
#define TIME_MAX_MS 253402300799999LL

/* Words of the file; those of changes in the order of their enum. */
static const char deny_word[] = "deny";
static const char *const change_words[] = {
	[CHANGE_ADD] = "add",
	[CHANGE_REMOVE] = "remove",
	[CHANGE_WEIGHT] = "weight",
	[CHANGE_ADMIN_STATE] = "state",
};
static const enum admin_state admin_states[] = { ADMIN_UP, ADMIN_DRAIN, ADMIN_DISABLED };

/* ---- writing ------------------------------------------------------------- */

struct text {
	char *buffer;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->buffer + text->used, RECORD_SIZE - text->used, format, args);
	va_end(args);
	if (length > 0 && text->used + (size_t)length < RECORD_SIZE)
		text->used += (size_t)length;
}

/* Names and words need no escapes in JSON, but a user's name might. */
static void add_user(struct text *text, const char *user)
{
	add(text, ",\"user\":\"");
	for (; *user; user++)
		add(text, "%c",
		    *user < 0x20 || *user > 0x7e || strchr("\"\\", *user) ? '?' : *user);
	add(text, "\"");
}

static void add_change(struct text *text, const struct config_change *change)
{
	char address[ADDR_TEXT_SIZE];

	add(text, "{\"change\":\"%s\",\"service\":\"%s\",\"backend\":\"%s\"",
	    change_words[change->kind], change->service, change->backend);
	if (change->kind == CHANGE_ADD)
		add(text, ",\"address\":\"%s\",\"port\":%u,\"backup\":%s",
		    ip_format(&change->ip, address), ntohs(change->port),
		    change->backup ? "true" : "false");
	if (change->kind == CHANGE_ADD || change->kind == CHANGE_WEIGHT)
		add(text, ",\"weight\":%u", change->weight);
	if (change->kind == CHANGE_ADD || change->kind == CHANGE_ADMIN_STATE)
		add(text, ",\"state\":\"%s\"", config_admin_state_name(change->admin_state));
}

size_t record_format(const struct record *record, char buffer[static RECORD_SIZE])
{
	struct text text = { .buffer = buffer };
	char prefix[PREFIX_TEXT_SIZE];

	if (record->kind == RECORD_EDIT)
		add_change(&text, &record->change);
	else
		add(&text, "{\"change\":\"%s\",\"prefix\":\"%s\"", deny_word,
		    prefix_format(&record->prefix, prefix));
	if (record->undone)
		add(&text, ",\"undone\":true");
	if (record->ends_ms)
		add(&text, ",\"ends\":%llu", record->ends_ms);
	add(&text, ",\"made\":%llu", record->made_ms);
	if (record->author.known)
		add(&text, ",\"uid\":%u", record->author.uid);
	if (record->author.known && record->author.user[0])
		add_user(&text, record->author.user);
	add(&text, "}\n");
	return text.used;
}

/* ---- reading ------------------------------------------------------------- */

/* The members of a line; NULL, 0 or -1: it does not have the member. */
struct members {
	const char *change, *service, *backend, *address, *state, *prefix, *user;
	json_int_t port, weight, ends, made, uid;
	int backup, undone;
};

/* No blanks and no control characters: it is shown in messages. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= 0x20 || *text > 0x7e)
			return false;
	return true;
}

static int take_name(const char *text, char ret_name[static CONFIG_NAME_MAX + 1])
{
	if (!text || !*text || strlen(text) > CONFIG_NAME_MAX || !is_printable(text))
		return -EINVAL;
	(void)snprintf(ret_name, CONFIG_NAME_MAX + 1, "%s", text);
	return 0;
}

static int take_admin_state(const char *text, enum admin_state *ret_admin_state)
{
	for (size_t i = 0; text && i < ARRAY_SIZE(admin_states); i++)
		if (!strcmp(text, config_admin_state_name(admin_states[i]))) {
			*ret_admin_state = admin_states[i];
			return 0;
		}
	return -EINVAL;
}

static int take_weight(json_int_t weight, unsigned *ret_weight)
{
	if (weight < 0 || weight > CONFIG_WEIGHT_MAX)
		return -EINVAL;
	*ret_weight = (unsigned)weight;
	return 0;
}

static int take_addition(const struct members *members, struct config_change *change)
{
	if (!members->address || ip_parse(members->address, &change->ip) || members->port < 1 ||
	    members->port > USHRT_MAX)
		return -EINVAL;
	change->port = htons((unsigned short)members->port);
	change->backup = members->backup;
	return take_weight(members->weight, &change->weight)
		       ?: take_admin_state(members->state, &change->admin_state);
}

static int take_change(const struct members *members, struct config_change *change)
{
	for (unsigned kind = 0; kind < ARRAY_SIZE(change_words); kind++) {
		if (strcmp(members->change, change_words[kind]) != 0)
			continue;
		change->kind = kind;
		switch (change->kind) {
		case CHANGE_ADD:
			return take_addition(members, change);
		case CHANGE_REMOVE:
			return 0;
		case CHANGE_WEIGHT:
			return take_weight(members->weight, &change->weight);
		case CHANGE_ADMIN_STATE:
			return take_admin_state(members->state, &change->admin_state);
		}
	}
	return -EINVAL;
}

static int take_author(const struct members *members, struct author *author)
{
	const char *user = members->user ?: "";

	if (members->uid < -1 || members->uid > UINT_MAX || strlen(user) >= AUTHOR_USER_SIZE ||
	    !is_printable(user))
		return -EINVAL;
	author->known = members->uid >= 0;
	author->uid = author->known ? (uid_t)members->uid : 0;
	(void)snprintf(author->user, sizeof(author->user), "%s", user);
	return 0;
}

static bool is_time(json_int_t ms)
{
	return ms >= 0 && ms <= TIME_MAX_MS;
}

static int take_members(const struct members *members, struct record *record)
{
	if (!is_time(members->made) || !is_time(members->ends))
		return -EINVAL;
	record->undone = members->undone;
	record->made_ms = (unsigned long long)members->made;
	record->ends_ms = (unsigned long long)members->ends;
	if (take_author(members, &record->author))
		return -EINVAL;
	if (!strcmp(members->change, deny_word)) {
		record->kind = RECORD_DENY;
		return members->prefix && !prefix_parse(members->prefix, &record->prefix) &&
				       record->prefix.bits
			       ? 0
			       : -EINVAL;
	}
	record->kind = RECORD_EDIT;
	return take_name(members->service, record->change.service)
		       ?: take_name(members->backend, record->change.backend)
		       ?: take_change(members, &record->change);
}

int record_parse(const char *line, struct record *ret_record)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	struct members members = { .port = -1, .weight = -1, .uid = -1, .made = -1 };
	struct record record = {};
	int error;

	if (!json ||
	    json_unpack_ex(json, NULL, JSON_STRICT,
			   "{s:s, s?s, s?s, s?s, s?s, s?s, s?s, s?I, s?I, s?I, s:I, s?I, "
			   "s?b, s?b}",
			   "change", &members.change, "service", &members.service, "backend",
			   &members.backend, "address", &members.address, "state", &members.state,
			   "prefix", &members.prefix, "user", &members.user, "port", &members.port,
			   "weight", &members.weight, "ends", &members.ends, "made", &members.made,
			   "uid", &members.uid, "backup", &members.backup, "undone",
			   &members.undone))
		return -EINVAL;
	error = take_members(&members, &record);
	if (!error)
		*ret_record = record;
	return error;
}
