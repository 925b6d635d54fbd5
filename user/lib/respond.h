/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What sluiced and the responder that it starts agree on: the descriptors that
 * the responder finds open, and the words of what it is told.
 *
 * Descriptor RESPOND_FD_TALK is a stream in both directions. The daemon sends lines
 * of JSON: one for each service that is answered for, then RESPOND_END, with which
 * all of them take the place of those before. Members:
 *
 *   {"addresses": ["192.0.2.1"], "port": 80, "retry_after_ms": 5000,
 *    "x_headers": false, "body": "...", "content_type": "..."}
 *
 * The last two may be missing. The responder sends RESPOND_READY, once it serves. The daemon
 * also sends the line RESPOND_PING, and the responder answers each with RESPOND_ALIVE. It
 * sends nothing else.
 */
#ifndef SLUICE_LIB_RESPOND_H
#define SLUICE_LIB_RESPOND_H

#include "sluice/maps.h"

#define RESPOND_PROGRAM  "sluice-responder"
#define RESPOND_LINE_MAX (64 << 10) /* with its end; a body's bytes take 6 at most */
#define RESPOND_END      "{\"end\":true}\n"
#define RESPOND_PING     "{\"ping\":true}\n"
#define RESPOND_READY    '.'
#define RESPOND_ALIVE    '!'

/* The maps that the responder reads, as sluice/maps.h says: X(name of the enumerators, name,
 * BPF type, key, value, size, memory).
 */
#define RESPOND_MAPS(X) SL_MAPS(RESPOND_SKIP, X, RESPOND_SKIP)
#define RESPOND_SKIP(...)

#define RESPOND_MAP_ENUM(enumerator, ...) RESPOND_MAP_##enumerator,
enum respond_map { RESPOND_MAPS(RESPOND_MAP_ENUM) RESPOND_MAP_COUNT };
#undef RESPOND_MAP_ENUM

enum respond_fd {
	RESPOND_FD_TALK,
	RESPOND_FD_NULL,
	RESPOND_FD_LOG,      /* a pipe; the daemon logs the lines that come, within bounds */
	RESPOND_FD_LISTENER, /* a listening TCP socket */
	RESPOND_FD_MAPS,     /* the first of RESPOND_MAP_COUNT, which can only be read */
	RESPOND_FD_COUNT = RESPOND_FD_MAPS + RESPOND_MAP_COUNT,
};

#endif
