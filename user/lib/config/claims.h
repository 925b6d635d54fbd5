/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who in the file must be one of a kind, and by what. What must be unique is
 * sorted and compared with its neighbour, so that a file of 65 536 backends
 * costs no more than its sorting. For config/rules.c.
 */
#ifndef SLUICE_LIB_CONFIG_CLAIMS_H
#define SLUICE_LIB_CONFIG_CLAIMS_H

#include "lib/config/config.h"
#include "lib/config/yaml_node.h"

struct diag;

/* A service, one of its addresses, or a backend. */
struct claim {
	const struct service_config *service;
	const struct backend_config *backend; /* NULL: not a backend */
	const struct node *node;              /* a service's or backend's map, or the address;
					       * NULL: not from a file
					       */
	size_t place;                         /* among all of its kind, in the order of the file */
	struct ip ip;                         /* not of a service as such */
	__be16 port;
	bool changed; /* of two that do not go together, the one to blame */
};

struct claims {
	struct claim *items;
	size_t n;
};

/* memcmp order; both arguments are claims. */
typedef int claim_compare_fn(const void *a, const void *b);

claim_compare_fn claim_compare_service;      /* by the service's name */
claim_compare_fn claim_compare_group;        /* services: by the group of their affinity */
claim_compare_fn claim_compare_endpoint;     /* by address, port and protocol */
claim_compare_fn claim_compare_own_endpoint; /* by these within one service */
claim_compare_fn claim_compare_own_name;     /* backends: by name within one service */

/* Sorts claims, one that is changed as if it were the last in the file. */
void claims_sort(struct claims *claims, claim_compare_fn *compare);

/* Of sorted claims the first in the file, behind the claim `after` (NULL: of all), that
 * equals one before it, which *ret_first is then; NULL: no two are equal.
 */
const struct claim *claims_next_repeat(const struct claims *claims, claim_compare_fn *compare,
				       const struct claim *after, const struct claim **ret_first);

/* Fills diag with the formatted text: at the place of the claim's key (NULL, or
 * one that is not written: the whole claim), or, without a file, behind the name
 * of the service (and backend). Returns -EINVAL. diag may be NULL.
 */
int claim_error(struct diag *diag, const struct claim *claim, const char *key, const char *format,
		...) __attribute__((format(printf, 4, 5)));

#endif
