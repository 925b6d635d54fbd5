/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading the configuration's sections: each is a table of keys, and each key
 * says how its value is read and to where. For config*.c alone.
 */
#ifndef SLUICE_CONFIG_READ_H
#define SLUICE_CONFIG_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/config.h"
#include "lib/config_node.h"

/* What reading passes along. */
struct reader {
	struct diag *diag;
	size_t n_backends;         /* of all services so far */
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

#define SECTION(what_, keys_)                                                                \
	{                                                                                    \
		.what = (what_), .keys = (keys_), .n_keys = sizeof(keys_) / sizeof(*(keys_)) \
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
read_fn read_duration;       /* unsigned, ms */
read_fn read_percent;        /* unsigned */
read_fn read_port;           /* __be16 */
read_fn read_word;           /* an enum, or int: the word's value */
read_fn read_name;           /* char *, owned */
read_fn read_check_defaults; /* struct reader */
read_fn read_limit;          /* struct limit_config */
read_fn read_services;       /* struct config */
read_fn read_interfaces;     /* struct config */

/* An address that a service or a backend can have. */
int read_address(struct reader *reader, const struct node *node, struct ip *ret_ip);

/* The check of a service (node NULL: it says none); reader->check when it says
 * nothing else. The protocol picks the type when nobody named one.
 */
int read_check(struct reader *reader, const struct node *node, __u8 proto,
	       struct check_config *check);

/* What a check is when the file says nothing. */
int check_config_init(struct check_config *ret_check);
void check_config_done(struct check_config *check);

/* Puts a copy of text where *target was. */
int read_set_text(struct reader *reader, const char *text, char **target);

int read_out_of_memory(struct reader *reader);

/* The slots of a service's table that the file does not size. */
unsigned config_table_size(size_t n_backends, size_t n_services);

/* By trial division: fine below 2^24. */
bool config_is_prime(unsigned number);

/* The rules over the whole file (config_rules.c). root is what config was read
 * from. Fills config->by_name.
 */
int config_check_rules(struct config *config, const struct node *root, struct diag *diag);

extern const struct word config_proto_words[];
extern const struct word config_forward_words[];
extern const struct word config_check_words[];
extern const struct word config_mode_words[];
extern const struct word config_scheduler_words[];

#endif
