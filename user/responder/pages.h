/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What each service has the responder say, as the daemon has told it (lib/respond.h).
 */
#ifndef SLUICE_RESPONDER_PAGES_H
#define SLUICE_RESPONDER_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/abi.h"

struct page {
	char *body;         /* NULL: the status as a line */
	char *content_type; /* NULL: text/plain; charset=utf-8 */
	unsigned retry_after_ms;
	bool x_headers;
};

struct pages;

/* NULL: out of memory. */
struct pages *pages_new(void);

/* Accepts NULL. */
void pages_free(struct pages *pages);

/* A line without its end. The last one of a telling puts all of its pages in the place
 * of those before. 0; -EINVAL, -ENOMEM: this line is left out.
 */
int pages_take(struct pages *pages, const char *line, size_t length);

/* Whether all of a telling has come. */
bool pages_known(const struct pages *pages);

/* Never NULL: a service that nothing was told about says what is usual. Valid until the
 * next pages_take().
 */
const struct page *pages_find(const struct pages *pages, const struct sl_key *service);

#endif
