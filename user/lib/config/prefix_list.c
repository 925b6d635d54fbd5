// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config/prefix_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/yield.h"
#include "lib/config/config.h"

static int compare(const void *a, const void *b)
{
	yield_point();
	return prefix_compare(a, b);
}

void prefix_list_sort(struct prefix_list *list)
{
	size_t n = 0;

	if (!list->n)
		return;
	qsort(list->prefixes, list->n, sizeof(*list->prefixes), compare);
	for (size_t i = 1; i < list->n; i++) {
		yield_point();
		if (prefix_compare(&list->prefixes[n], &list->prefixes[i]) != 0)
			list->prefixes[++n] = list->prefixes[i];
	}
	list->n = n + 1;
}

void prefix_list_done(struct prefix_list *list)
{
	for (size_t i = 0; i < list->n_files; i++)
		free(list->files[i]);
	free(list->files);
	free(list->written);
	free(list->prefixes);
	*list = (struct prefix_list){};
}

/* *ret_copy is NULL where there are none. */
static int copy_prefixes(const struct prefix *from, size_t n, struct prefix **ret_copy)
{
	struct prefix *copy;

	*ret_copy = NULL;
	if (!n)
		return 0;
	copy = malloc(n * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		copy[i] = from[i];
		yield_point();
	}
	*ret_copy = copy;
	return 0;
}

static int copy_files(const struct prefix_list *from, struct prefix_list *list)
{
	if (!from->n_files)
		return 0;
	list->files = calloc(from->n_files, sizeof(*list->files));
	if (!list->files)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_files; i++) {
		list->files[i] = strdup(from->files[i]);
		if (!list->files[i])
			return -ENOMEM;
		list->n_files++;
	}
	return 0;
}

int prefix_list_copy(const struct prefix_list *from, struct prefix_list *ret_copy)
{
	_cleanup_(prefix_list_done) struct prefix_list list = {};
	int error;

	*ret_copy = list;
	error = copy_prefixes(from->prefixes, from->n, &list.prefixes);
	if (!error)
		error = copy_prefixes(from->written, from->n_written, &list.written);
	if (!error)
		error = copy_files(from, &list);
	if (error)
		return error;
	list.n = from->n;
	list.n_written = from->n_written;
	*ret_copy = list;
	list = (struct prefix_list){};
	return 0;
}

bool prefix_list_equal(const struct prefix_list *a, const struct prefix_list *b)
{
	if (a->n != b->n || a->n_files != b->n_files)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		yield_point();
		if (prefix_compare(&a->prefixes[i], &b->prefixes[i]) != 0)
			return false;
	}
	for (size_t i = 0; i < a->n_files; i++) {
		if (strcmp(a->files[i], b->files[i]) != 0)
			return false;
	}
	return true;
}

const struct prefix *prefix_list_common(const struct prefix_list *a, const struct prefix_list *b)
{
	size_t i = 0, j = 0;

	while (i < a->n && j < b->n) {
		int order = prefix_compare(&a->prefixes[i], &b->prefixes[j]);

		yield_point();
		if (!order)
			return &a->prefixes[i];
		if (order < 0)
			i++;
		else
			j++;
	}
	return NULL;
}
