// SPDX-License-Identifier: BSD-2-Clause
#include "responder/lookup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "lib/limit/limit.h"
#include "responder/clock.h"
#include "sluice/gcra.h"
#include "sluice/hash.h"
#include "sluice/slot.h"

static int map_fd(enum respond_map map)
{
	return RESPOND_FD_MAPS + map;
}

static bool read_element(enum respond_map map, const void *key, void *ret_value)
{
	return !bpf_map_lookup_elem(map_fd(map), key, ret_value);
}

static bool read_index(enum respond_map map, __u32 index, void *ret_value)
{
	return read_element(map, &index, ret_value);
}

/* ---- opening ------------------------------------------------------------------- */

static const struct {
	unsigned key, value; /* bytes */
} layout[RESPOND_MAP_COUNT] = {
#define LAYOUT(enumerator, name, kind, key, value, size, memory) \
	[RESPOND_MAP_##enumerator] = { sizeof(key), sizeof(value) },
	RESPOND_MAPS(LAYOUT)
#undef LAYOUT
};

int lookup_open(struct lookup *ret_lookup)
{
	struct lookup lookup = {};

	for (int i = 0; i < RESPOND_MAP_COUNT; i++) {
		struct bpf_map_info info = {};
		__u32 length = sizeof(info);

		if (bpf_obj_get_info_by_fd(map_fd(i), &info, &length))
			return -errno;
		if (info.key_size != layout[i].key || info.value_size != layout[i].value)
			return -EPROTO;
		if (i == RESPOND_MAP_DIRECTORY)
			lookup.directory_size = info.max_entries;
	}
	if (!lookup.directory_size || lookup.directory_size & (lookup.directory_size - 1))
		return -EPROTO;
	*ret_lookup = lookup;
	return 0;
}

/* ---- looking ------------------------------------------------------------------- */

/* As lib/directory finds it, in a directory that is not in memory. */
static bool find_service(const struct lookup *lookup, const struct sl_key *key,
			 struct sl_service *ret_service)
{
	unsigned start = sl_hash_key(key);

	for (unsigned i = 0; i < SL_DIRECTORY_PROBES; i++) {
		__u64 word;

		if (!read_index(RESPOND_MAP_DIRECTORY, (start + i) & (lookup->directory_size - 1),
				&word) ||
		    word == SL_DIRECTORY_EMPTY)
			return false;
		if (word != SL_DIRECTORY_REMOVED &&
		    read_index(RESPOND_MAP_SERVICES, (__u32)word, ret_service) &&
		    !memcmp(&ret_service->key, key, sizeof(*key)))
			return true;
	}
	return false;
}

/* The responder has the service's slots only while nobody else can serve. */
static bool nobody_serves(const struct sl_service *service)
{
	__u64 slot;

	return service->responder != SL_NO_BACKEND &&
	       read_index(RESPOND_MAP_SLOTS, service->table, &slot) &&
	       sl_slot_current(slot) == service->responder;
}

static bool exempts(const struct sl_limit *limit, const struct ip *client)
{
	struct sl_prefix key = {
		.bits = SL_PREFIX_FIXED + 128,
		.list = (SL_LIST_EXEMPT | limit->number) << 1 | (client->family == SL_FAMILY_IPV6),
		.addr = client->addr,
	};
	struct sl_access unused;

	return limit->flags & SL_LIMIT_EXEMPT && read_element(RESPOND_MAP_PREFIXES, &key, &unused);
}

/* False: the limit refuses this client nothing. */
static bool look_at_limit(__u32 index, const struct ip *client, struct answer_limit *ret_limit)
{
	struct answer_limit found = {};
	struct sl_source source;

	if (!read_index(RESPOND_MAP_LIMITS, index, &found.limit) ||
	    found.limit.flags & SL_LIMIT_DRY_RUN || exempts(&found.limit, client))
		return false;
	/* A bucket that is not there is a full one. */
	source = limit_source(&found.limit, &client->addr, client->family);
	if (found.limit.flags & SL_LIMIT_PER_SERVICE)
		(void)read_index(RESPOND_MAP_TOTALS, index, &found.bucket);
	else
		(void)read_element(RESPOND_MAP_BUCKETS, &source, &found.bucket);
	*ret_limit = found;
	return true;
}

int lookup_client(const struct lookup *lookup, const struct sl_key *key, const struct ip *client,
		  struct answer_input *ret_input)
{
	struct answer_input input = { .now = sl_ticks(clock_monotonic_ns()) };
	struct sl_service service;

	if (!find_service(lookup, key, &service))
		return -ENOENT;
	input.nobody_serves = nobody_serves(&service);
	for (unsigned i = 0; i < service.n_limits && i < SL_LIMITS_MAX; i++)
		if (look_at_limit(service.limits + i, client, &input.limits[input.n_limits]))
			input.limits[input.n_limits++].number = i + 1;
	*ret_input = input;
	return 0;
}
