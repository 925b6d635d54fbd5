/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the responder needs of the datapath.
 */
#ifndef SLUICE_DAEMON_DATAPATH_RESPONDER_H
#define SLUICE_DAEMON_DATAPATH_RESPONDER_H

#include "lib/respond.h"

struct datapath;

/* Has the program run on our side of the responder's veth, so that its replies take
 * the way back of those of `nat`. 0 or -errno.
 */
int datapath_attach_responder(const struct datapath *datapath, int ifindex);

/* New descriptors that can only read, by enum respond_map; the caller's to close.
 * 0 or -errno, and then there are none.
 */
int datapath_responder_maps(const struct datapath *datapath, int ret_fds[static RESPOND_MAP_COUNT]);

#endif
