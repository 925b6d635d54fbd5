/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files that the configuration names, and above all files of prefixes. For config/ alone.
 */
#ifndef SLUICE_LIB_CONFIG_PREFIX_FILE_H
#define SLUICE_LIB_CONFIG_PREFIX_FILE_H

#include <stddef.h>

#include "lib/config/read.h"

#define CONFIG_FILE_MAX (64UL << 20) /* bytes */

/* How rows read the name of a file: printable ASCII, for it is shown in messages. char *. */
read_fn config_read_file_name;

/* A relative name is beside the configuration's file. The caller's to free; NULL: out of memory.
 */
char *config_path_beside(const struct reader *reader, const char *name);

/* The sentence for a file that file_read() cannot read, at node. */
int config_refuse_file(const struct reader *reader, const struct node *node, int error);

/* Prefixes on their way into a list. */
struct prefix_room {
	struct prefix_list *list;
	size_t size; /* of list->prefixes */
};

/* Puts it behind the others. 0; -ENOMEM; -E2BIG: these are too many, in all lists. */
int prefix_room_add(struct prefix_room *room, const struct reader *reader,
		    const struct prefix *prefix);

/* Adds what the file holds that node names: a prefix a line, # begins a comment.
 * 0, or -EINVAL (-ENOMEM) and diag, at the file's own line or at node.
 */
int config_read_prefix_file(struct reader *reader, const struct node *node, const char *name,
			    struct prefix_room *room);

#endif
