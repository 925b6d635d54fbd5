/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How long without a packet until a flow counts as ended.
 */
#ifndef SLUICE_DAEMON_DATAPATH_TIMEOUTS_H
#define SLUICE_DAEMON_DATAPATH_TIMEOUTS_H

struct datapath_timeouts {
	unsigned tcp_idle_ms, udp_idle_ms;
};

#endif
