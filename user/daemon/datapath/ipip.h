/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The source of the outer packets of ipip.
 */
#ifndef SLUICE_DAEMON_DATAPATH_IPIP_H
#define SLUICE_DAEMON_DATAPATH_IPIP_H

struct datapath;
struct ipip_config;

void datapath_set_ipip(struct datapath *datapath, const struct ipip_config *ipip);

#endif
