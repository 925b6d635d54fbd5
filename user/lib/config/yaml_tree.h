/* SPDX-License-Identifier: BSD-2-Clause
 *
 * YAML text as a tree of nodes that know their place. Takes the plain part of
 * YAML: maps, lists and texts of one document; anchors, aliases and tags are
 * refused, depth and number of values bounded, so that no input grows in
 * memory.
 */
#ifndef SLUICE_LIB_CONFIG_YAML_TREE_H
#define SLUICE_LIB_CONFIG_YAML_TREE_H

#include <stddef.h>

#include "lib/base/cleanup.h"
#include "lib/config/yaml_node.h"

#define TREE_NODES_MAX (4U << 20)

struct tree;

/* 0; or -EINVAL (or -ENOMEM) with the place and the fault in diag, which may be
 * NULL.
 */
int tree_new(const char *text, size_t length, struct diag *diag, struct tree **ret_tree);

/* Accepts NULL. */
void tree_free(struct tree *tree);
DEFINE_CLEANUP(tree_free, struct tree *);

/* NULL for an empty document. Lives as long as the tree. */
const struct node *tree_root(const struct tree *tree);

#endif
