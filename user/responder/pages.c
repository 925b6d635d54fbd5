// SPDX-License-Identifier: BSD-2-Clause
#include "responder/pages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/cleanup.h"
#include "lib/base/hashtable.h"
#include "lib/config/config.h"

static const struct page defaults = { .retry_after_ms = 5000 };

struct entry {
	struct hash_node node;
	struct sl_key key;
	struct service *service;
};

/* Of all addresses of a service. */
struct service {
	struct service *next;
	struct page page;
	struct entry entries[CONFIG_ADDRESSES_MAX];
	size_t n_entries; /* of them, in the table */
};

struct message {
	struct hashtable by_key; /* of struct entry */
	struct service *services;
};

struct pages {
	struct message now, next;
	bool known;
};

static void service_free(struct service *service)
{
	free(service->page.body);
	free(service->page.content_type);
	free(service);
}

static void message_done(struct message *message)
{
	hashtable_done(&message->by_key);
	while (message->services) {
		struct service *service = message->services;

		message->services = service->next;
		service_free(service);
	}
}

struct pages *pages_new(void)
{
	return calloc(1, sizeof(struct pages));
}

void pages_free(struct pages *pages)
{
	if (!pages)
		return;
	message_done(&pages->now);
	message_done(&pages->next);
	free(pages);
}

/* ---- finding ------------------------------------------------------------------- */

static uint64_t key_hash(const struct sl_key *key)
{
	return hash_bytes(key, sizeof(*key), 0);
}

static bool key_equal(const struct hash_node *node, const void *key)
{
	return !memcmp(&HASH_ENTRY(node, struct entry, node)->key, key, sizeof(struct sl_key));
}

static struct hash_node *find(const struct message *message, const struct sl_key *key)
{
	return hashtable_find(&message->by_key, key_hash(key), key, key_equal);
}

const struct page *pages_find(const struct pages *pages, const struct sl_key *service)
{
	struct hash_node *node = find(&pages->now, service);

	return node ? &HASH_ENTRY(node, struct entry, node)->service->page : &defaults;
}

bool pages_known(const struct pages *pages)
{
	return pages->known;
}

/* ---- being told ---------------------------------------------------------------- */

DEFINE_CLEANUP(service_free, struct service *);

static int copy_text(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

static int read_page(json_t *json, struct page *ret_page, int *ret_port, json_t **ret_addresses)
{
	const char *body = NULL, *content_type = NULL;
	json_int_t retry_after_ms;
	int x_headers, port;

	if (json_unpack(json, "{s:o, s:i, s:I, s:b, s?s, s?s}", "addresses", ret_addresses, "port",
			&port, "retry_after_ms", &retry_after_ms, "x_headers", &x_headers, "body",
			&body, "content_type", &content_type) ||
	    port < 0 || port > UINT16_MAX || retry_after_ms < 0 || retry_after_ms > UINT32_MAX)
		return -EINVAL;
	ret_page->retry_after_ms = (unsigned)retry_after_ms;
	ret_page->x_headers = x_headers;
	*ret_port = port;
	return copy_text(body, &ret_page->body) ?: copy_text(content_type, &ret_page->content_type);
}

static int add_address(struct message *message, struct service *service, json_t *address, int port)
{
	struct entry *entry = &service->entries[service->n_entries];
	struct ip ip;
	int error;

	if (service->n_entries == CONFIG_ADDRESSES_MAX || !json_is_string(address) ||
	    ip_parse(json_string_value(address), &ip))
		return -EINVAL;
	entry->service = service;
	entry->key = (struct sl_key){
		.addr = ip.addr,
		.port = htons((uint16_t)port),
		.proto = IPPROTO_TCP,
		.family = ip.family,
	};
	if (find(message, &entry->key))
		return -EINVAL;
	error = hashtable_insert(&message->by_key, &entry->node, key_hash(&entry->key));
	if (!error)
		service->n_entries++;
	return error;
}

static int take_service(struct message *message, json_t *json)
{
	_cleanup_(service_freep) struct service *service = calloc(1, sizeof(*service));
	json_t *addresses, *address;
	int port, error;
	size_t i;

	if (!service)
		return -ENOMEM;
	error = read_page(json, &service->page, &port, &addresses);
	if (error)
		return error;
	json_array_foreach(addresses, i, address)
	{
		error = add_address(message, service, address, port);
		if (error)
			break;
	}
	for (i = 0; error && i < service->n_entries; i++)
		hashtable_remove(&message->by_key, &service->entries[i].node);
	if (error)
		return error;
	service->next = message->services;
	message->services = TAKE_PTR(service);
	return 0;
}

int pages_take(struct pages *pages, const char *line, size_t length)
{
	_cleanup_(json_decrefp) json_t *json =
		json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(json))
		return -EINVAL;
	if (!json_is_true(json_object_get(json, "end")))
		return take_service(&pages->next, json);
	message_done(&pages->now);
	pages->now = pages->next;
	pages->next = (struct message){};
	pages->known = true;
	return 0;
}
