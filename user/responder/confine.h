/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Giving up all that a hostile client could make use of, had it taken over this
 * process. It can then answer the connections that come to it, and read the maps
 * that it was given; it can open no file and no connection of its own, start no
 * program and signal nobody.
 */
#ifndef SLUICE_RESPONDER_CONFINE_H
#define SLUICE_RESPONDER_CONFINE_H

/* Becomes nobody, without capabilities, and bounded; dies with its parent. Where it
 * is not root it stays who it is. 0 or -errno.
 */
int confine_rights(void);

/* Leaves the system calls of an event loop on descriptors that are open, and
 * accept(). 0 or -errno.
 */
int confine_calls(void);

#endif
