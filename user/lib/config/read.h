/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading the configuration's sections: a walk over their rows. For lib/config/ alone.
 */
#ifndef SLUICE_LIB_CONFIG_READ_H
#define SLUICE_LIB_CONFIG_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/config/config.h"
#include "lib/config/section.h"
#include "lib/config/yaml_node.h"

/* What reading passes along. */
struct reader {
	struct diag *diag;
	const char *name;    /* of the configuration's file: others are beside it */
	size_t n_backends;   /* of all services so far */
	size_t n_prefixes;   /* of all lists so far */
	size_t n_file_bytes; /* of all files of prefixes so far */
	struct scope scope;
	struct check_config check; /* what a service's check starts from */
};

/* A word of the file and what it means; a table ends with an empty one. */
struct word {
	const char *text;
	int value;
};

#define WORD_LATER (-1) /* its meaning is known, but this version does not have it */

/* The text of a value; "?" for a value that has none. */
const char *word_of(const struct word *words, int value);

/* Reads a map key by key, in the table's order, to object, which holds the defaults;
 * refuses keys that are not in it, that stand there twice, or that are missing.
 */
int read_section(const struct section *section, struct reader *reader, const struct node *node,
		 void *object);

/* The same, or the first key's value alone, where the section has a short form. */
int read_section_or_short(const struct section *section, struct reader *reader,
			  const struct node *node, void *object);

/* The value of the first conditional key that a map has, or NULL (also if it is no map). */
const struct node *section_find_conditional(const struct section *section, const struct node *map);

/* How many items a list has (0 for a key without a value), at most max. */
int read_list_size(struct reader *reader, const struct key *key, const struct node *node,
		   size_t *ret_count);

/* Reads one item of a list: items[index], which holds the defaults. */
typedef int read_item_fn(struct reader *reader, const struct node *node, void *items, size_t index);

/* Reads a list to a key of type_list. */
int read_list(struct reader *reader, const struct key *key, const struct node *node, void *object,
	      read_item_fn *read_item);

/* How sections are read that have rows in other files. */
read_fn read_check;          /* struct service_config; node NULL: it says none */
read_fn read_check_defaults; /* struct reader */
read_fn read_limits;
read_fn read_interfaces;
read_fn read_services;
read_fn read_backends;
read_fn read_name; /* char * */

/* An address that a service or a backend can have. */
int read_address(struct reader *reader, const struct node *node, struct ip *ret_ip);

/* What lists of who may come in cannot be. map: where they stand, or would. */
int config_check_access(const struct reader *reader, const struct node *map,
			const struct access_config *access);

/* Puts a copy of text where *target was. */
int read_set_text(struct reader *reader, const char *text, char **target);

int read_out_of_memory(const struct reader *reader);

/* What is taken for a name, and what keeps an address from being one machine's
 * for all others: a text for "X is ...", or NULL.
 */
bool config_is_name(const char *text);
const char *config_address_fault(const struct ip *ip);

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
extern const struct word config_unserved_words[];
extern const struct word config_admin_state_words[];
extern const struct word config_count_words[];
extern const struct word config_algorithm_words[];
extern const struct word config_action_words[];

#endif
