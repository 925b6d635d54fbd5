/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage service: finds the service that a packet is for, or the nat backend that it comes
 * from. Both directories work alike: a hash of the key points at a word, the words from there
 * on lead to entries, and the entry itself tells whether it is the one (include/sluice/abi.h).
 * The daemon keeps every key within SL_DIRECTORY_PROBES words, so the search is bounded.
 */
#ifndef SLUICE_BPF_SERVICE_H
#define SLUICE_BPF_SERVICE_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/hash.h"

static __always_inline bool key_equal(const struct sl_key *a, const struct sl_key *b)
{
	return a->addr.halves[1] == b->addr.halves[1] && a->word == b->word &&
	       a->addr.halves[0] == b->addr.halves[0];
}

/* The searches below are one, over two pairs of maps; a map cannot be passed as an argument and
 * still be looked up inline, hence the expansion. position: a __u32, which gets the index of the
 * entry that is found.
 */
#define DIRECTORY_FIND(directory, mask, entries, wanted, place, position)       \
	({                                                                      \
		typeof(*(entries).value) *found_ = NULL, *entry_;               \
		__u32 at_ = (place);                                            \
		__u64 *word_;                                                   \
                                                                                \
		for (int i_ = 0; i_ < SL_DIRECTORY_PROBES; i_++, at_++) {       \
			asm("" : "+r"(at_));                                    \
			(position) = at_ & (mask);                              \
			word_ = bpf_map_lookup_elem(&(directory), &(position)); \
			if (!word_ || *word_ == SL_DIRECTORY_EMPTY)             \
				break;                                          \
			(position) = (__u32) * word_;                           \
			entry_ = bpf_map_lookup_elem(&(entries), &(position));  \
			if (entry_ && key_equal(&entry_->key, wanted)) {        \
				found_ = entry_;                                \
				break;                                          \
			}                                                       \
		}                                                               \
		found_;                                                         \
	})

/* Whether the packet is for a service. */
static __always_inline bool find_service(struct sl_packet *packet)
{
	__u32 position;

	packet->service =
		DIRECTORY_FIND(sl_directory, sl_settings.directory_mask, sl_services,
			       &packet->destination, sl_hash_key(&packet->destination), position);
	return packet->service;
}

/* Whether there may be a nat backend with an endpoint, whose place in the directory is given. */
static __always_inline bool endpoint_possible(__u32 place)
{
	return unlikely(sl_return_filter.keys[place % SL_RETURN_FILTER]);
}

/* Whether the packet comes from the endpoint of a nat backend. */
static __always_inline bool find_return(struct sl_packet *packet)
{
	struct sl_key key = packet->destination;
	__u32 place, position;

	key.addr = packet->source;
	key.port = packet->source_port;
	place = sl_hash_key(&key);
	if (endpoint_possible(place))
		packet->reply = DIRECTORY_FIND(sl_return_dir, sl_settings.return_mask, sl_returns,
					       &key, place, position);
	return packet->reply;
}

/* The index of an endpoint's return entry, where the endpoint is a struct sl_key in parts; 0, which
 * is no entry's index: it has none. A function of its own to the verifier, as few packets need it.
 */
__noinline __u32 endpoint_index(__u64 upper, __u64 lower, __u32 word, __u32 place)
{
	const struct sl_key key = { .addr.halves = { upper, lower }, .word = word };
	__u32 position;

	return DIRECTORY_FIND(sl_return_dir, sl_settings.return_mask, sl_returns, &key, place,
			      position)
		       ? position
		       : 0;
}

/* The return entry of a nat backend by its endpoint, or NULL. For endpoints that the packet was not
 * sent from: find_return() is faster, and inline.
 */
static __always_inline struct sl_return *find_endpoint(const struct sl_key *key)
{
	__u32 place = sl_hash_key(key), index;

	if (!endpoint_possible(place))
		return NULL;
	index = endpoint_index(key->addr.halves[0], key->addr.halves[1], key->word, place);
	return index ? bpf_map_lookup_elem(&sl_returns, &index) : NULL;
}

#endif
