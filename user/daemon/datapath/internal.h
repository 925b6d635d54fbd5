/* SPDX-License-Identifier: BSD-2-Clause
 *
 * struct datapath, for the files of this folder; those of program/ and state/ do not know
 * it. Each member is its module's, and is described there.
 */
#ifndef SLUICE_DAEMON_DATAPATH_INTERNAL_H
#define SLUICE_DAEMON_DATAPATH_INTERNAL_H

#include "daemon/datapath/program/maps.h"
#include "daemon/datapath/program/pins.h"
#include "daemon/datapath/program/program.h"
#include "daemon/datapath/state/backends.h"
#include "daemon/datapath/state/blocks.h"
#include "daemon/datapath/state/grace.h"
#include "daemon/datapath/state/installed.h"
#include "daemon/datapath/state/lists.h"
#include "daemon/datapath/state/prefixes.h"
#include "daemon/datapath/state/tables.h"

struct devices;
struct events;
struct known_address;
struct walk;

struct datapath {
	struct program program;
	struct pins pins;
	struct maps maps;
	struct grace grace;
	struct installed_set installed;
	struct tables tables;
	struct backends backends;
	struct prefixes prefixes;
	struct lists lists;
	struct blocks blocks;
	struct walk *walk;
	struct devices *devices;         /* NULL until some are put */
	struct events *events;           /* NULL until they are asked for */
	struct known_address *addresses; /* of the last datapath_set_addresses(); NULL: none yet */
	size_t n_addresses;
	__u64 hash_seed; /* the program's */
};

#endif
