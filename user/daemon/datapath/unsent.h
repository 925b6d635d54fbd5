/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the program cannot send by itself, and what it is told so that it can.
 */
#ifndef SLUICE_DAEMON_DATAPATH_UNSENT_H
#define SLUICE_DAEMON_DATAPATH_UNSENT_H

#include <stdbool.h>
#include <stddef.h>

struct datapath;
struct ring;
struct sl_device;
struct sl_handover;
struct sl_port;

/* Opens the ring sl_unsent: `entry` is called for each of its entries by ring_read()
 * (datapath/ring.h), after which the bytes are the program's again. 0 or -errno.
 */
int datapath_unsent_ring(const struct datapath *datapath,
			 void (*entry)(void *arg, const void *entry, size_t size), void *arg,
			 struct ring **ret_ring);

/* Tells the program whether the kernel forwards such replies. Where the map is full, they go
 * on to come by the ring.
 */
void datapath_set_handover(const struct datapath *datapath, const struct sl_handover *handover,
			   bool forwards);

/* Tells the program the device behind which a MAC address of a bridge's is; NULL: it is not
 * known.
 */
void datapath_set_port(const struct datapath *datapath, const struct sl_port *port,
		       const struct sl_device *device);

/* Forgets what an earlier daemon has told the program of handovers and ports. */
void datapath_forget_unsent(const struct datapath *datapath);

#endif
