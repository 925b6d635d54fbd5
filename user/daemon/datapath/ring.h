/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A ring buffer of the program's, read from the loop in portions.
 */
#ifndef SLUICE_DAEMON_DATAPATH_RING_H
#define SLUICE_DAEMON_DATAPATH_RING_H

#include <stddef.h>

struct ring;

/* One entry; its bytes are valid until the function returns. */
typedef void ring_entry_fn(void *arg, const void *entry, size_t size);

/* 0 or -errno. */
int ring_new(int map_fd, ring_entry_fn *entry, void *arg, struct ring **ret_ring);

/* A descriptor that becomes readable when entries are there. */
int ring_fd(const struct ring *ring);

/* Calls the ring's function for each entry, up to a bound: a flood of entries leaves the
 * loop time for everything else, and the rest is there the next time.
 */
void ring_read(struct ring *ring, unsigned at_once);

/* Accepts NULL. */
void ring_free(struct ring *ring);

#endif
