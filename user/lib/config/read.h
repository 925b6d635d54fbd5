/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading the configuration's sections: each is a table of keys, and each key
 * says how its value is read and to where. For config*.c alone.
 */
#ifndef SLUICE_LIB_CONFIG_READ_H
#define SLUICE_LIB_CONFIG_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/array.h"
#include "lib/config/config.h"
#include "lib/config/yaml_node.h"

/* What reading passes along. */
struct reader {
	struct diag *diag;
	const char *name;          /* of the configuration's file: others are beside it */
	size_t n_backends;         /* of all services so far */
	size_t n_prefixes;         /* of all lists so far */
	size_t n_file_bytes;       /* of all files of prefixes so far */
	struct check_config check; /* what a service's check starts from */
	bool check_has_type;       /* ... and that includes a type: defaults: says one */
};

/* A word of the file and what it means; a table ends with an empty one. */
struct word {
	const char *text;
	int value;
};

#define WORD_LATER (-1) /* its meaning is known, but this version does not have it */

struct key;

/* Reads node's value to target. 0, or -errno with diag filled. */
typedef int read_fn(struct reader *reader, const struct key *key, const struct node *node,
		    void *target);

struct key {
	const char *name;
	read_fn *read; /* NULL: whoever reads the section reads this */
	size_t offset; /* of the value in what the section is read to */
	bool required;
	unsigned long long min, max; /* numbers and durations (ms): inclusive */
	const char *what;            /* in words, for messages: "a scheduler" */
	const char *want;            /* what would be right */
	const struct word *words;
};

struct section {
	const char *what;
	const struct key *keys;
	size_t n_keys;
};

#define SECTION(what_, keys_)                                                 \
	{                                                                     \
		.what = (what_), .keys = (keys_), .n_keys = ARRAY_SIZE(keys_) \
	}

/* Reads a map key by key, in the table's order; refuses keys that are not in
 * it, that stand there twice, or that are missing.
 */
int read_section(const struct section *section, struct reader *reader, const struct node *node,
		 void *target);

/* A list's items: *ret_count of them (0 for a key without a value), of the kind
 * `what`. At most max.
 */
int read_list_size(const struct key *key, struct reader *reader, const struct node *node,
		   size_t *ret_count);

/* The read functions that more than one section uses, and their targets. */
read_fn read_number;         /* unsigned, within min and max */
read_fn read_count;          /* unsigned, within min and max, like 10k */
read_fn read_duration;       /* unsigned, ms */
read_fn read_percent;        /* unsigned */
read_fn read_port;           /* __be16 */
read_fn read_word;           /* an enum, or int: the word's value */
read_fn read_name;           /* char *, owned */
read_fn read_check_defaults; /* struct reader */
read_fn read_limits;         /* struct service_config */
read_fn read_respond;        /* struct respond_config */
read_fn read_prefixes;       /* struct prefix_list */
read_fn read_services;       /* struct config */
read_fn read_interfaces;     /* struct config */
read_fn read_bool;           /* bool */
read_fn read_affinity;       /* struct affinity_config */
read_fn read_min_healthy;    /* struct service_config */
read_fn read_hash_seed;      /* __u64 */
read_fn read_flows;          /* struct flows_config */
read_fn read_limiter;        /* struct limiter_config */
read_fn read_ipip;           /* struct ipip_config */

/* An address that a service or a backend can have. */
int read_address(struct reader *reader, const struct node *node, struct ip *ret_ip);

/* The check of a service (node NULL: it says none); reader->check when it says
 * nothing else. The protocol picks the type when nobody named one.
 */
int read_check(struct reader *reader, const struct node *node, __u8 proto,
	       struct check_config *check);

/* What lists of who may come in cannot be. map: where they stand, or would. */
int config_check_access(const struct reader *reader, const struct node *map,
			const struct access_config *access);

/* What a check is when the file says nothing. */
int check_config_init(struct check_config *ret_check);
void check_config_done(struct check_config *check);

/* Puts a copy of text where *target was. */
int read_set_text(struct reader *reader, const char *text, char **target);

int read_out_of_memory(struct reader *reader);

/* What is taken for a name, and what keeps an address from being one machine's
 * for all others: a text for "X is ...", or NULL.
 */
bool config_is_name(const char *text);
const char *config_address_fault(const struct ip *ip);

/* What stands where the file says nothing. */
struct flows_config config_default_flows(void);
struct limiter_config config_default_limiter(void);
struct ipip_config config_default_ipip(void);
struct respond_config config_default_respond(void);
struct limit_config config_default_limit(void);
unsigned long long config_default_burst(const struct limit_config *limit); /* of its rate */
struct affinity_config config_default_affinity(void);

/* The seed that a text of the file stands for: h = mix(length), then for each 8
 * bytes h = mix(h ^ them), read as a little-endian number, the last ones filled
 * up with zeros; mix is sl_hash_mix().
 */
__u64 config_seed_of_text(const char *text, size_t length);

/* Whether the service's table is one that hashes lead to, of a size to choose. */
bool config_has_hashed_table(const struct service_config *service);

/* The slots of a service that the file does not size, by its scheduler and its
 * backends; and those of one that has a hashed table.
 */
unsigned config_default_table_size(const struct service_config *service, size_t n_services);
unsigned config_table_size(size_t n_backends, size_t n_services);

/* By trial division: fine below 2^24. */
bool config_is_prime(unsigned number);

extern const struct word config_proto_words[];
extern const struct word config_forward_words[];
extern const struct word config_check_words[];
extern const struct word config_mode_words[];
extern const struct word config_scheduler_words[];
extern const struct word config_on_all_down_words[];
extern const struct word config_admin_state_words[];
extern const struct word config_count_words[];
extern const struct word config_algorithm_words[];
extern const struct word config_action_words[];

#endif
