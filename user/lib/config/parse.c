// SPDX-License-Identifier: BSD-2-Clause
/* From text to a configuration, whole or not at all. Its keys begin in
 * config/document.c, the rules over all of it are in config/rules.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/base/file.h"
#include "lib/config/config.h"
#include "lib/config/prefix_file.h"
#include "lib/config/read.h"
#include "lib/config/rules.h"
#include "lib/config/warnings.h"
#include "lib/config/yaml_tree.h"

static void cleanup_reader(struct reader *reader)
{
	section_done(&section_check, &reader->check);
}

static int read_root(const struct node *root, const char *name, struct diag *diag,
		     struct config *config)
{
	_cleanup_(cleanup_reader) struct reader reader = {
		.diag = diag,
		.name = name,
		.scope.config = config,
	};
	int error, kept;

	if (section_init(&section_check, NULL, NULL, &reader.check) != 0)
		return read_out_of_memory(&reader);
	kept = read_section(&section_config, &reader, root, config);
	if (kept && !diag_keep(diag, kept))
		return kept;
	error = config_check_rules(config, root, NULL, diag);
	if (error && !diag_keep(diag, error))
		return error;
	config_warn(config, root, diag);
	return kept || error ? -DIAG_KEPT : 0;
}

/* What is in the list is told in the order of the file, the first error by diag, too. */
static int end_list(struct diag *diag, const char *name, int error)
{
	struct diag_list *list = diag ? diag->list : NULL;

	if (!list)
		return error;
	if (error == -EINVAL && !list->n_errors)
		(void)diag_keep(diag, error);
	diag_list_sort(list, name);
	if (!list->n_errors || (error != -EINVAL && error != -DIAG_KEPT))
		return error;
	*diag = *diag_list_error(list);
	diag->list = list;
	return -EINVAL;
}

/* A configuration without services says so: an empty file is one that was lost or cut. */
static int refuse_empty(struct diag *diag)
{
	if (diag)
		diag->line = diag->column = 1;
	return diag_set(diag, EINVAL,
			"is empty; a configuration without services and interfaces is "
			"\"services: []\"");
}

int config_parse(const char *text, size_t length, const char *name, struct diag *diag,
		 struct config **ret_config)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(tree_freep) struct tree *tree = NULL;
	int error;

	if (diag) {
		diag->line = 0;
		diag->column = 0;
		(void)snprintf(diag->file, sizeof(diag->file), "%s", name);
	}
	config = calloc(1, sizeof(*config));
	if (!config || section_init(&section_config, NULL, NULL, config) != 0)
		return diag_no_memory(diag);
	error = tree_new(text, length, diag, &tree);
	if (!error)
		error = tree_root(tree) ? read_root(tree_root(tree), name, diag, config)
					: refuse_empty(diag);
	error = end_list(diag, name, error);
	if (error)
		return error;
	*ret_config = TAKE_PTR(config);
	return 0;
}

int config_load(const char *path, struct diag *diag, struct config **ret_config)
{
	_cleanup_(cleanup_free) char *text = NULL;
	size_t length = 0;
	int error;

	if (diag) {
		diag->line = 0;
		diag->column = 0;
		(void)snprintf(diag->file, sizeof(diag->file), "%s", path);
	}
	error = file_read(path, CONFIG_FILE_MAX, &text, &length);
	if (error == -EFBIG)
		return diag_set(diag, EFBIG, "is larger than 64 MiB; no configuration is");
	if (error == -ENOTSUP)
		return diag_set(diag, ENOTSUP, "is not a regular file");
	if (error)
		return diag_set(diag, -error, "cannot be read: %s", strerror(-error));
	return config_parse(text, length, path, diag, ret_config);
}
