/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The connections that are open. Invariant: none is open for long, no source has
 * many of them, and there is always room for another source: when they become too
 * many, the oldest go. So a client that holds on to its connections, or many of
 * them, keeps nobody else out.
 *
 * A connection's time is counted here and not by libmicrohttpd, for which it begins
 * anew with every byte.
 */
#ifndef SLUICE_RESPONDER_VISITORS_H
#define SLUICE_RESPONDER_VISITORS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"

#define VISITORS_MAX        4096
#define VISITORS_CROWDED    3584 /* more than this are not kept waiting */
#define VISITORS_PER_SOURCE 64   /* a source is an IPv4 address or an IPv6 /64 */
#define VISITOR_MS          5000

struct visitors;
struct visitor;

/* NULL: out of memory. */
struct visitors *visitors_new(void);

/* Accepts NULL. */
void visitors_free(struct visitors *visitors);

/* Whether a connection from there may be opened. */
bool visitors_admit(const struct visitors *visitors, const struct ip *client);

/* fd: shut when its time is over; closing it is the caller's. NULL: no room (the
 * caller keeps to VISITORS_MAX).
 */
struct visitor *visitors_add(struct visitors *visitors, const struct ip *client, int fd,
			     uint64_t now_ms);

/* Before fd is closed. Accepts NULL. */
void visitors_remove(struct visitors *visitors, struct visitor *visitor);

/* Shuts those whose time is over. In how many ms the next one is due; -1: there are
 * none.
 */
int visitors_expire(struct visitors *visitors, uint64_t now_ms);

/* Those not removed yet. */
unsigned visitors_count(const struct visitors *visitors);

#endif
