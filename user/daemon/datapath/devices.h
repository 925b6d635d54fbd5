/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The devices that frames can be sent to: few, and seldom changed.
 */
#ifndef SLUICE_DAEMON_DATAPATH_DEVICES_H
#define SLUICE_DAEMON_DATAPATH_DEVICES_H

struct datapath;
struct sl_device;

/* Begin, put each, end, which removes those that were not put. 0 or -errno; where a device
 * is not put, the kernel sends the replies that leave by it.
 */
void datapath_devices_begin(struct datapath *datapath);
int datapath_devices_put(struct datapath *datapath, unsigned ifindex,
			 const struct sl_device *device);
void datapath_devices_end(struct datapath *datapath);

/* Routes, neighbours or devices have changed: the program is to ask for the routes to
 * clients anew.
 */
void datapath_forget_routes(struct datapath *datapath);

#endif
