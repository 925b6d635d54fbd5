/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client asks for by the field Accept (RFC 9110 section 12.5.1). Pure.
 */
#ifndef SLUICE_RESPONDER_ACCEPT_H
#define SLUICE_RESPONDER_ACCEPT_H

#include <stdbool.h>

#define ACCEPT_PROBLEM "application/problem+json"

/* How much a client wants each of two types, in thousandths. Starts as {}. */
struct accept {
	unsigned problem;    /* of ACCEPT_PROBLEM, named as such: no range stands for it */
	unsigned other;      /* of the other type, or a range that it is in */
	unsigned other_rank; /* how narrow that range is: the narrowest counts */
};

/* Takes one line of the field; a list may have several. other is a content type, whose
 * parameters do not count. What is malformed in the line is left out.
 */
void accept_take(struct accept *accept, const char *line, const char *other);

/* Whether the client asks for ACCEPT_PROBLEM at least as much as for the other type. */
bool accept_is_problem(const struct accept *accept);

#endif
