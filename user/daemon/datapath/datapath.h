/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The XDP program and its maps, as the rest of the daemon sees them: load or adopt, write
 * the difference, read the counters. Maps are mapped into memory: the daemon compares with
 * the values that the program reads, and changes a word by one store. No other room knows
 * libbpf.
 *
 * This is the room's face, made of the headers that most of its callers need; the room's
 * own files include the narrow ones.
 */
#ifndef SLUICE_DAEMON_DATAPATH_DATAPATH_H
#define SLUICE_DAEMON_DATAPATH_DATAPATH_H

#include "daemon/datapath/apply.h"
#include "daemon/datapath/devices.h"
#include "daemon/datapath/forwarding.h"
#include "daemon/datapath/load.h"
#include "daemon/datapath/origins.h"
#include "daemon/datapath/ours.h"
#include "daemon/datapath/sizes.h"
#include "daemon/datapath/stats.h"
#include "daemon/datapath/unused.h"
#include "daemon/datapath/walk.h"

#endif
