/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is this machine's own (include/sluice/ours.h): stations, and addresses. Each list is
 * given whole; the difference is written, so that at each moment the program finds what was and
 * stays there.
 */
#ifndef SLUICE_DAEMON_DATAPATH_OURS_H
#define SLUICE_DAEMON_DATAPATH_OURS_H

#include <stddef.h>

#include "sluice/ours.h"

struct config;
struct datapath;

struct known_station {
	struct sl_station key;
	__u32 state; /* SL_STATION_* */
};

struct known_address {
	struct sl_address key;
	__u32 kinds; /* SL_ADDRESS_* */
};

/* Of the stations of an interface and a VLAN, the first two are found fastest. Some may be there
 * twice, then an active one counts; the list is sorted. 0 or -errno: some are missing then.
 */
int datapath_set_stations(struct datapath *datapath, struct known_station *stations, size_t n);

/* An address may be there several times, as of several kinds; the list is sorted. 0 or -errno:
 * some are missing then.
 */
int datapath_set_addresses(struct datapath *datapath, struct known_address *addresses, size_t n);

/* What happens to packets that are for no service. */
void datapath_set_unserved(struct datapath *datapath, const struct config *config);

#endif
