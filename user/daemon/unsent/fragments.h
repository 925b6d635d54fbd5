/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IPv4 packets in fragments (RFC 791 section 3.2). Pure arithmetic.
 */
#ifndef SLUICE_DAEMON_UNSENT_FRAGMENTS_H
#define SLUICE_DAEMON_UNSENT_FRAGMENTS_H

#include <stdbool.h>
#include <stddef.h>

#define FRAGMENT_MAX 65535 /* bytes */

/* The cutting of one packet. */
struct fragments {
	const unsigned char *packet;
	size_t length, header; /* bytes of the packet, and of its IP header */
	size_t at;             /* the payload before this is done */
	size_t share;          /* of the payload, for each fragment but the last */
};

/* Begins to cut a whole packet into fragments of at most mtu bytes. False: it must not be cut,
 * or cannot be.
 */
bool fragments_begin(struct fragments *fragments, const void *packet, size_t length, size_t mtu);

/* Writes the next fragment; its length, or 0 behind the last one. */
size_t fragments_next(struct fragments *fragments, unsigned char fragment[static FRAGMENT_MAX]);

#endif
