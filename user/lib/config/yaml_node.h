/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A value of the configuration's text, and the place where it stands. Nodes
 * belong to their tree (config/yaml_tree.h) and are never changed once it is built.
 */
#ifndef SLUICE_LIB_CONFIG_YAML_NODE_H
#define SLUICE_LIB_CONFIG_YAML_NODE_H

#include <stdbool.h>
#include <stddef.h>

#define NODE_DEPTH_MAX 16 /* lists and maps inside each other; the file needs 7 */

struct diag;

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

/* A key is a text too: the map is its parent, and it is its value's. */
struct node {
	enum node_kind kind;
	unsigned line, column;     /* from 1 */
	const struct node *parent; /* NULL: the whole document */
	struct node *first;        /* a list's items, or a map's keys */
	struct node *next;         /* the next item or key */
	struct node *value;        /* a key's */
	size_t length;             /* of text */
	char text[];               /* NUL-terminated, without another NUL; "" for lists and maps */
};

/* The value of a key of a map, NULL where the map has no such key (or node is
 * NULL or no map).
 */
const struct node *node_get(const struct node *map, const char *key);

/* How many items or keys. */
size_t node_count(const struct node *node);

/* A text of no characters: what stands after a colon with nothing behind it. */
bool node_is_empty(const struct node *node);

#define NODE_SHOW_SIZE 80

/* A text made fit to be shown: anything but printable ASCII escaped, a long one
 * cut. Returns buffer.
 */
const char *node_show(const struct node *node, char buffer[static NODE_SHOW_SIZE]);

/* Fills diag with the node's place and "PATH: " + the formatted text, PATH being
 * like services.web.backends[1].port. Returns -EINVAL. diag may be NULL.
 */
int node_error(struct diag *diag, const struct node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same as a warning in diag's list, if it has one. */
void node_warn(const struct diag *diag, const struct node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The usual one: `PATH: "80800" is not WHAT; WANT`. Returns -EINVAL. */
int node_refuse(struct diag *diag, const struct node *node, const char *what, const char *want);

/* Whether it is a text of 1 to `most` printable ASCII characters. */
bool node_is_printable(const struct node *node, size_t most);

#endif
