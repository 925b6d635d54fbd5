/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How long without a packet until a flow counts as ended.
 */
#ifndef SLUICE_DAEMON_DATAPATH_TIMEOUTS_H
#define SLUICE_DAEMON_DATAPATH_TIMEOUTS_H

struct datapath_timeouts {
	unsigned tcp_idle_ms, udp_idle_ms;
	unsigned
		tracked_idle_ms; /* of TCP, where the service tracks every flow: there, an entry is all
				   * that leads a connection to its backend
				   */
};

#endif
