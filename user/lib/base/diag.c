// SPDX-License-Identifier: BSD-2-Clause
#include "lib/base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int diag_set(struct diag *diag, int error, const char *format, ...)
{
	va_list args;

	if (!diag)
		return -error;
	va_start(args, format);
	(void)vsnprintf(diag->text, sizeof(diag->text), format, args);
	va_end(args);
	return -error;
}

/* A place for one more item; NULL: the list is full, or there is no memory. */
static struct diag_item *list_add(struct diag_list *list, bool warning)
{
	size_t n = warning ? list->n - list->n_errors : list->n_errors;
	struct diag_item *items;

	if (n == DIAG_LIST_MAX) {
		list->cut = true;
		return NULL;
	}
	items = reallocarray(list->items, list->n + 1, sizeof(*items));
	if (!items)
		return NULL;
	list->items = items;
	list->n_errors += !warning;
	items[list->n] = (struct diag_item){ .warning = warning };
	return &items[list->n++];
}

bool diag_keep(struct diag *diag, int error)
{
	struct diag_item *item;

	if (!diag || !diag->list || (error != -EINVAL && error != -DIAG_KEPT))
		return false;
	if (error == -DIAG_KEPT)
		return true;
	item = list_add(diag->list, false);
	if (!item)
		return false;
	item->diag = *diag;
	item->diag.list = NULL;
	return true;
}

void diag_warn(const struct diag *diag, unsigned line, unsigned column, const char *format, ...)
{
	struct diag_item *item = diag && diag->list ? list_add(diag->list, true) : NULL;
	va_list args;

	if (!item)
		return;
	item->diag = (struct diag){ .line = line, .column = column };
	memcpy(item->diag.file, diag->file, sizeof(item->diag.file));
	va_start(args, format);
	(void)vsnprintf(item->diag.text, sizeof(item->diag.text), format, args);
	va_end(args);
}

static int compare_items(const void *left, const void *right, void *file)
{
	const struct diag *a = &((const struct diag_item *)left)->diag;
	const struct diag *b = &((const struct diag_item *)right)->diag;
	int a_elsewhere = strcmp(a->file, file) != 0, b_elsewhere = strcmp(b->file, file) != 0;

	if (a_elsewhere != b_elsewhere)
		return a_elsewhere - b_elsewhere;
	if (a_elsewhere && strcmp(a->file, b->file) != 0)
		return strcmp(a->file, b->file);
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

void diag_list_sort(struct diag_list *list, const char *file)
{
	if (list->n)
		qsort_r(list->items, list->n, sizeof(*list->items), compare_items, (void *)file);
}

const struct diag *diag_list_error(const struct diag_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!list->items[i].warning)
			return &list->items[i].diag;
	return NULL;
}

void diag_list_done(struct diag_list *list)
{
	free(list->items);
	*list = (struct diag_list){};
}

int diag_no_memory(struct diag *diag)
{
	return diag_set(diag, ENOMEM, "out of memory");
}

static void format_line(const struct diag *diag, const char *mark, char *buffer, unsigned long size)
{
	if (!diag->file[0])
		(void)snprintf(buffer, size, "%s%s", mark, diag->text);
	else if (!diag->line)
		(void)snprintf(buffer, size, "%s: %s%s", diag->file, mark, diag->text);
	else
		(void)snprintf(buffer, size, "%s:%u:%u: %s%s", diag->file, diag->line, diag->column,
			       mark, diag->text);
}

void diag_format(const struct diag *diag, char *buffer, unsigned long size)
{
	format_line(diag, "", buffer, size);
}

void diag_item_format(const struct diag_item *item, char buffer[static DIAG_LINE_SIZE])
{
	format_line(&item->diag, item->warning ? "warning: " : "", buffer, DIAG_LINE_SIZE);
}
