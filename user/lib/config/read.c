// SPDX-License-Identifier: BSD-2-Clause
/* Walks a section's table of keys, and reads the values that sections share. */
#include "lib/config/read.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/diag.h"
#include "lib/base/suggest.h"
#include "lib/base/units.h"

#define KEYS_MAX 32 /* of one section */
#define LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"

int read_out_of_memory(struct reader *reader)
{
	return diag_no_memory(reader->diag);
}

int read_set_text(struct reader *reader, const char *text, char **target)
{
	char *copy = strdup(text);

	if (!copy)
		return read_out_of_memory(reader);
	free(*target);
	*target = copy;
	return 0;
}

/* The known key that is meant, probably; or NULL. */
static const char *suggest_key(const struct section *section, const struct node *entry)
{
	unsigned best = entry->length > 4 ? 3 : 2; /* one more than is believed */
	const char *name = NULL;

	for (size_t i = 0; i < section->n_keys; i++) {
		unsigned distance = suggest_distance(entry->text, section->keys[i].name);

		if (distance < best) {
			best = distance;
			name = section->keys[i].name;
		}
	}
	return name;
}

static int refuse_key(const struct section *section, const struct reader *reader,
		      const struct node *entry)
{
	const char *meant = suggest_key(section, entry);
	char known[256] = "";
	size_t used = 0;

	if (meant)
		return node_error(reader->diag, entry,
				  "is not a key of this version; did you mean %s?", meant);
	for (size_t i = 0; i < section->n_keys && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "",
					 section->keys[i].name);
	return node_error(reader->diag, entry, "is not a key of this version; %s has: %s",
			  section->what, known);
}

/* Sorts a map's values into the order of the section's keys. */
static int match_keys(const struct section *section, const struct reader *reader,
		      const struct node *map, const struct node *ret_values[static KEYS_MAX])
{
	const struct node *entry;
	size_t i;

	for (entry = map->first; entry; entry = entry->next) {
		for (i = 0; i < section->n_keys; i++) {
			if (strcmp(section->keys[i].name, entry->text) == 0)
				break;
		}
		if (i == section->n_keys)
			return refuse_key(section, reader, entry);
		if (ret_values[i])
			return node_error(reader->diag, entry,
					  "stands there twice, first in line %u; keep one",
					  ret_values[i]->parent->line);
		ret_values[i] = entry->value;
	}
	return 0;
}

int read_section(const struct section *section, struct reader *reader, const struct node *node,
		 void *target)
{
	const struct node *values[KEYS_MAX] = {};
	int error;

	if (node->kind != NODE_MAP)
		return node_refuse(reader->diag, node, section->what, "write a map of KEY: VALUE");
	error = match_keys(section, reader, node, values);
	if (error)
		return error;
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct key *key = &section->keys[i];

		if (!values[i] && key->required)
			return node_error(reader->diag, node, "%s needs the key %s", section->what,
					  key->name);
		if (!values[i] || !key->read)
			continue;
		error = key->read(reader, key, values[i], (char *)target + key->offset);
		if (error)
			return error;
	}
	return 0;
}

int read_list_size(const struct key *key, struct reader *reader, const struct node *node,
		   size_t *ret_count)
{
	size_t count;

	if (node_is_empty(node)) {
		*ret_count = 0;
		return 0;
	}
	if (node->kind != NODE_LIST)
		return node_refuse(reader->diag, node, key->what, key->want);
	count = node_count(node);
	if (count > key->max)
		return node_error(reader->diag, node, "%zu %s are too many; at most %llu", count,
				  key->name, key->max);
	*ret_count = count;
	return 0;
}

/* Refuses a number out of range, or what is none. */
static int take_number(const struct reader *reader, const struct key *key, const struct node *node,
		       unsigned long long *value)
{
	char want[128];

	if (node->kind == NODE_TEXT && number_parse(node->text, value) == 0 && *value >= key->min &&
	    *value <= key->max)
		return 0;
	(void)snprintf(want, sizeof(want), "a number from %llu to %llu", key->min, key->max);
	return node_refuse(reader->diag, node, key->what, want);
}

int read_number(struct reader *reader, const struct key *key, const struct node *node, void *target)
{
	unsigned long long value;
	int error;

	error = take_number(reader, key, node, &value);
	if (error)
		return error;
	*(unsigned *)target = (unsigned)value;
	return 0;
}

int read_port(struct reader *reader, const struct key *key, const struct node *node, void *target)
{
	const struct key port = { .min = 1, .max = UINT16_MAX, .what = "a port" };
	unsigned long long value;
	int error;

	(void)key;
	error = take_number(reader, &port, node, &value);
	if (error)
		return error;
	*(__be16 *)target = htons((uint16_t)value);
	return 0;
}

int read_count(struct reader *reader, const struct key *key, const struct node *node, void *target)
{
	unsigned long long count;

	if (node->kind != NODE_TEXT || count_parse(node->text, &count) || count < key->min ||
	    count > key->max)
		return node_refuse(reader->diag, node, key->what, key->want);
	*(unsigned *)target = (unsigned)count;
	return 0;
}

int read_duration(struct reader *reader, const struct key *key, const struct node *node,
		  void *target)
{
	unsigned long long ms;

	if (node->kind != NODE_TEXT || duration_parse(node->text, &ms) || ms < key->min ||
	    ms > key->max)
		return node_refuse(reader->diag, node, key->what, key->want);
	*(unsigned *)target = (unsigned)ms;
	return 0;
}

int read_percent(struct reader *reader, const struct key *key, const struct node *node,
		 void *target)
{
	unsigned long long percent;

	if (node->kind != NODE_TEXT || percent_parse(node->text, &percent) || percent < key->min ||
	    percent > key->max)
		return node_refuse(reader->diag, node, key->what, key->want);
	*(unsigned *)target = (unsigned)percent;
	return 0;
}

/* "tcp or udp" */
static void list_words(const struct word *words, char *buffer, size_t size)
{
	size_t used = 0;

	for (; words->text && used < size; words++) {
		if (words->value == WORD_LATER)
			continue;
		used += (size_t)snprintf(buffer + used, size - used, "%s%s",
					 used ? " or " : "write ", words->text);
	}
}

int read_word(struct reader *reader, const struct key *key, const struct node *node, void *target)
{
	const struct word *word = key->words;
	char shown[NODE_SHOW_SIZE];
	char want[128] = "";

	while (word->text && (node->kind != NODE_TEXT || strcmp(word->text, node->text) != 0))
		word++;
	list_words(key->words, want, sizeof(want));
	if (!word->text)
		return node_refuse(reader->diag, node, key->what, want);
	if (word->value == WORD_LATER)
		return node_error(reader->diag, node, "this version does not have \"%s\"; %s",
				  node_show(node, shown), want);
	*(int *)target = word->value;
	return 0;
}

int read_bool(struct reader *reader, const struct key *key, const struct node *node, void *target)
{
	bool is_true = node->kind == NODE_TEXT && strcmp(node->text, "true") == 0;

	if (!is_true && (node->kind != NODE_TEXT || strcmp(node->text, "false") != 0))
		return node_refuse(reader->diag, node, key->what, "write one of these");
	*(bool *)target = is_true;
	return 0;
}

bool config_is_name(const char *text)
{
	size_t length = strlen(text);

	return length && length <= CONFIG_NAME_MAX && strchr(LETTERS DIGITS, text[0]) &&
	       strspn(text, LETTERS DIGITS "._-") == length;
}

int read_name(struct reader *reader, const struct key *key, const struct node *node, void *target)
{
	static const char want[] = "1 to 63 of A-Z, a-z, 0-9, dot, hyphen and underscore, the "
				   "first a letter or digit";

	(void)key;
	if (node->kind != NODE_TEXT || !config_is_name(node->text))
		return node_refuse(reader->diag, node, "a name", want);
	return read_set_text(reader, node->text, target);
}

const char *config_address_fault(const struct ip *ip)
{
	const struct in6_addr *v6 = (const struct in6_addr *)ip->addr.bytes;
	bool is_v4 = ip->family == SL_FAMILY_IPV4;

	if (!ip_is_unicast(ip))
		return "an unspecified, multicast or broadcast address";
	if (is_v4 ? ip->addr.bytes[12] == 127 : IN6_IS_ADDR_LOOPBACK(v6))
		return "a loopback address";
	if (is_v4)
		return NULL;
	if (IN6_IS_ADDR_V4MAPPED(v6))
		return "an IPv4 address in IPv6 form";
	return IN6_IS_ADDR_LINKLOCAL(v6) ? "a link-local address" : NULL;
}

int read_address(struct reader *reader, const struct node *node, struct ip *ret_ip)
{
	static const char want[] =
		"an IPv4 or IPv6 address alone, like 198.51.100.10 or 2001:db8::10";
	char text[ADDR_TEXT_SIZE];
	const char *fault;
	struct ip ip;

	if (node->kind != NODE_TEXT || ip_parse(node->text, &ip) != 0)
		return node_refuse(reader->diag, node, "an address", want);
	if (ip.family == SL_FAMILY_IPV6 &&
	    IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)ip.addr.bytes)) {
		ip.family = SL_FAMILY_IPV4;
		return node_error(reader->diag, node,
				  "\"%s\" is an IPv4 address in IPv6 form; write it as %s",
				  node->text, ip_format(&ip, text));
	}
	fault = config_address_fault(&ip);
	if (fault)
		return node_error(reader->diag, node,
				  "\"%s\" is %s; write one that other machines can reach",
				  node->text, fault);
	*ret_ip = ip;
	return 0;
}
