/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sections of the configuration as tables: a row for each key says of which type
 * its value is, where the value lies, and what it is by default. Reading (read.c),
 * writing (writer.c), comparing, copying and freeing (section.c) are walks over these
 * rows: a key with a member in config.h and a row takes part in all of them. For
 * lib/config/ alone.
 */
#ifndef SLUICE_LIB_CONFIG_SECTION_H
#define SLUICE_LIB_CONFIG_SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/array.h"

struct config;
struct key;
struct node;
struct reader;
struct service_config;
struct word;
struct writer;

#define SECTION_KEYS_MAX 32

/* Where a walk is: defaults may follow from these. NULL: outside of any. */
struct scope {
	const struct config *config;
	const struct service_config *service;
};

/* Reads node's value to the key's member of object. 0, or -errno with diag filled. */
typedef int read_fn(struct reader *reader, const struct key *key, const struct node *node,
		    void *object);

/* A type of values. An object is the struct that a section describes; each function
 * is about the key's member of it.
 */
struct type {
	size_t size; /* of the member; 0: of any size */

	/* Puts the default there: as section_init(). NULL: the row's number or bytes. */
	int (*init)(const struct key *key, const struct scope *scope, const void *object, void *to);

	/* NULL: each row has its own. */
	read_fn *read;

	/* Emits the value, behind its key. */
	void (*emit)(struct writer *writer, const struct key *key, const void *object);

	/* NULL: the same bytes. */
	bool (*equal)(const struct key *key, const void *a, const void *b);

	/* `to` has zeros there. 0 or -ENOMEM. NULL (then `done` too): it owns nothing. */
	int (*copy)(const struct key *key, const void *from, void *to);
	void (*done)(const struct key *key, void *object);

	/* Whether it is written in more than one line. NULL: it never is. */
	bool (*is_long)(const struct key *key, const void *object);
};

struct key {
	const char *name;
	const struct type *type; /* NULL: the section has no member for it, and it is only read */
	read_fn *read;           /* NULL: the type's */
	size_t offset, size;     /* of the member: MEMBER() or MEMBERS() */
	const struct section *section; /* of a section, or of a list's items */

	/* What the value is where the file says none. */
	unsigned long long default_number;
	const char *default_text;  /* type_text */
	const void *default_bytes; /* `size` of them */
	/* Fills the key's member of `to` with the default that follows from other values
	 * of object, or from the scope; `to` may be object. 0 or -ENOMEM. Until it is
	 * called, the value is default_number (0: NULL), which no file can say.
	 */
	int (*default_from)(const struct key *key, const struct scope *scope, const void *object,
			    void *to);

	bool required;    /* to be in the file; it is always written */
	bool conditional; /* for some objects alone; the section's reader refuses it for others */
	bool late;        /* read behind the others, and with node NULL where the file says none */
	int rank;         /* -1 to 1: written in this order; those of one rank in the table's */

	unsigned long long min, max; /* numbers and durations (ms): inclusive */
	const char *what;            /* in words, for messages: "a scheduler" */
	const char *want;            /* what would be right */
	const struct word *words;
};

#define MEMBER(struct_, member_) \
	.offset = offsetof(struct_, member_), .size = sizeof(((struct_ *)NULL)->member_)

/* Several members, which lie one behind the other; of a list, the last counts its items. */
#define MEMBERS(struct_, first_, last_)                                                 \
	.offset = offsetof(struct_, first_), .size = offsetof(struct_, last_) +         \
						     sizeof(((struct_ *)NULL)->last_) - \
						     offsetof(struct_, first_)

struct section {
	const char *what;
	const struct key *keys;
	size_t n_keys;
	size_t size;     /* of an object */
	bool has_short;  /* a text stands for a map of the first key alone */
	bool has_lines;  /* written with a line for each key */
	bool is_service; /* an object is scope.service while its keys are written */
	/* Checks what has been read, but for the keys that are late. NULL: nothing to check. */
	int (*check)(struct reader *reader, const struct node *map, void *object);
};

#define SECTION(what_, keys_, struct_) \
	.what = (what_), .keys = (keys_), .n_keys = ARRAY_SIZE(keys_), .size = sizeof(struct_)

/* The key's member. */
static inline const void *key_value(const struct key *key, const void *object)
{
	return (const char *)object + key->offset;
}

static inline void *key_target(const struct key *key, void *object)
{
	return (char *)object + key->offset;
}

/* A member of 1, 2, 4 or 8 bytes as a number. */
unsigned long long key_number(const struct key *key, const void *object);
void key_set_number(const struct key *key, void *object, unsigned long long number);

bool key_equal(const struct key *key, const void *a, const void *b);

/* Puts the default where the value was. 0 or -ENOMEM. */
int key_reset(const struct key *key, void *object);

/* The row of a name; it must exist. */
const struct key *section_key(const struct section *section, const char *name);

/* Overwrites `to` with the defaults, those that follow from other values as they
 * follow from object's; object NULL: left for section_derive(). 0 or -ENOMEM;
 * section_done() either way.
 */
int section_init(const struct section *section, const struct scope *scope, const void *object,
		 void *to);

/* Fills in the defaults that follow from other values, where the file said none.
 * 0 or -ENOMEM.
 */
int section_derive(const struct section *section, const struct scope *scope, void *object);

/* The same in everything that has a row. */
bool section_equal(const struct section *section, const void *a, const void *b);

/* Overwrites `to` with a copy that owns all that it has; members without a row are
 * copied as bytes. 0 or -ENOMEM; section_done() either way.
 */
int section_copy(const struct section *section, const void *from, void *to);

/* Frees what the object owns, not itself. */
void section_done(const struct section *section, void *object);

extern const struct section section_config;
extern const struct section section_flows;
extern const struct section section_limiter;
extern const struct section section_ipip;
extern const struct section section_interface;
extern const struct section section_service;
extern const struct section section_affinity;
extern const struct section section_check;
extern const struct section section_limit;
extern const struct section section_respond;
extern const struct section section_backend;

#endif
