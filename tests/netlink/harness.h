/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the scenarios of daemon/hops are written with. One scenario is one
 * process: whatever is wrong ends it.
 */
#ifndef SLUICE_TESTS_NETLINK_HARNESS_H
#define SLUICE_TESTS_NETLINK_HARNESS_H

#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

#include "daemon/nexthop/follow.h"
#include "daemon/nexthop/nexthops.h"

#define SOON    4000  /* ms */
#define LATER   25000 /* what the kernel needs to give a neighbour up */
#define A_WHILE 1500  /* in which nothing must happen */

#define P0_MAC  "02:77:00:00:00:02"
#define P1_MAC  "02:78:00:00:00:02"

#define check(condition)                                           \
	do {                                                       \
		if (!(condition))                                  \
			fail("line %d: %s", __LINE__, #condition); \
	} while (0)

#define SKIPPED 77 /* exit status */

extern uv_loop_t loop;
extern struct nexthops *hops;
extern const char *peer; /* the namespace's name */

struct seen {
	struct nexthop_watch *watch;
	struct ip ip;
	struct nexthop last;
	unsigned calls;
	void (*then)(struct seen *seen);
};

void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Ends the scenario: this kernel cannot do what it needs. */
void skip(const char *why) __attribute__((noreturn));

/* Run `ip` here or in the peer's namespace; it must succeed. */
void ip(const char *format, ...) __attribute__((format(printf, 1, 2)));
void peer_ip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether `ip` succeeds. */
bool ip_can(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A pipe into `ip -batch`; pclose() it. */
FILE *ip_batch(void);

/* The first line that a command says. */
void output(const char *command, char *buffer, size_t size);

/* All of a hop, as one line; valid until the next call. */
const char *hop_text(const struct nexthop *hop);

/* How that line is for a hop through v0 or v1; "-": no gateway. */
const char *via(const char *gateway, int link, const char *dst);

/* Every callback is checked: it comes from the loop, and the hop has changed. */
void watch(struct seen *seen, const char *address);
void unwatch(struct seen *seen);

/* Runs the loop until the hop is as expected; fails if that takes longer. */
void expect(const struct seen *seen, const char *expected, uint64_t ms);

/* Runs the loop for a time. */
void wait_for(uint64_t ms);

#endif
