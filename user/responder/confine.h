/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Giving up all that a hostile client could make use of, had it taken over this
 * process. It can then answer the connections that come to it, and read the maps
 * that it was given; it can open no file and no connection of its own, start no
 * program and signal no other process.
 */
#ifndef SLUICE_RESPONDER_CONFINE_H
#define SLUICE_RESPONDER_CONFINE_H

/* Becomes a user that no other process has, without capabilities, and bounded; dies with its
 * parent. A process that is not root keeps its user. 0 or -errno.
 */
int confine_rights(void);

/* Leaves the system calls of an event loop on descriptors that are open, and accept(). The
 * socket that listens cannot be shut, and no other process can be signalled. 0 or -errno.
 */
int confine_calls(void);

#endif
