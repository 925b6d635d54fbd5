// SPDX-License-Identifier: BSD-2-Clause
/* Finding two of what there must be one of. */
#include "lib/config/claims.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/diag.h"
#include "lib/base/yield.h"

static int compare_unsigned(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

/* Services lie in one array: their order there is as good as any. */
static int compare_owner(const struct claim *a, const struct claim *b)
{
	return ((uintptr_t)a->service > (uintptr_t)b->service) -
	       ((uintptr_t)a->service < (uintptr_t)b->service);
}

/* Which stands first in the file. */
static int compare_place(const struct claim *a, const struct claim *b)
{
	int order = a->changed - b->changed;

	return order ? order : (a->place > b->place) - (a->place < b->place);
}

int claim_compare_service(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;

	return strcmp(a->service->name, b->service->name);
}

/* Services without a group are each alone, as the place says. */
int claim_compare_group(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	const char *group = a->service->affinity.group, *other = b->service->affinity.group;

	if (group && other)
		return strcmp(group, other);
	if (group || other)
		return group ? -1 : 1;
	return (a->place > b->place) - (a->place < b->place);
}

int claim_compare_endpoint(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = ip_compare(&a->ip, &b->ip);

	if (!order)
		order = compare_unsigned(ntohs(a->port), ntohs(b->port));
	return order ? order : compare_unsigned(a->service->proto, b->service->proto);
}

int claim_compare_own_endpoint(const void *left, const void *right)
{
	int order = compare_owner(left, right);

	return order ? order : claim_compare_endpoint(left, right);
}

int claim_compare_own_name(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = compare_owner(a, b);

	return order ? order : strcmp(a->backend->name, b->backend->name);
}

static int compare_then_place(const void *left, const void *right, void *compare)
{
	int order = (*(claim_compare_fn **)compare)(left, right);

	yield_point();
	return order ? order : compare_place(left, right);
}

void claims_sort(struct claims *claims, claim_compare_fn *compare)
{
	if (claims->n)
		qsort_r(claims->items, claims->n, sizeof(*claims->items), compare_then_place,
			&compare);
}

const struct claim *claims_next_repeat(const struct claims *claims, claim_compare_fn *compare,
				       const struct claim *after, const struct claim **ret_first)
{
	const struct claim *repeat = NULL;

	for (size_t i = 1; i < claims->n; i++) {
		const struct claim *before = &claims->items[i - 1];

		yield_point();
		if (compare(before, before + 1) != 0)
			continue;
		if (after && compare_place(before + 1, after) <= 0)
			continue;
		if (repeat && compare_place(before + 1, repeat) > 0)
			continue;
		repeat = before + 1;
		*ret_first = before;
	}
	return repeat;
}

int claim_error(struct diag *diag, const struct claim *claim, const char *key, const char *format,
		...)
{
	const struct node *value = key ? node_get(claim->node, key) : NULL;
	const char *service = claim->service->name;
	char text[sizeof(diag->text)];
	va_list args;

	if (!diag)
		return -EINVAL;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (claim->node)
		return node_error(diag, value ? value : claim->node, "%s", text);
	if (claim->backend)
		return diag_set(diag, EINVAL, "%s: backend %s: %s", service, claim->backend->name,
				text);
	return diag_set(diag, EINVAL, "%s: %s", service, text);
}
