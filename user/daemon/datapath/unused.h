/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where no packet was ever forwarded, no connection has to be protected.
 */
#ifndef SLUICE_DAEMON_DATAPATH_UNUSED_H
#define SLUICE_DAEMON_DATAPATH_UNUSED_H

#include <stdbool.h>

struct datapath;
struct sweep;

/* By the clock, once a second: slots of services that have not forwarded a packet
 * yet settle at once. After a start, backends come up one by one. True: there is more to do,
 * by the next call with this sweep.
 */
bool datapath_settle_unused(struct datapath *datapath, struct sweep *sweep);

#endif
