/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The programs that an interface runs: none, one, or several in libxdp's dispatcher; and
 * whether one of them is sluice's. Only looks.
 */
#ifndef SLUICE_DAEMON_DATAPATH_PROGRAM_OCCUPANT_H
#define SLUICE_DAEMON_DATAPATH_PROGRAM_OCCUPANT_H

#include <linux/bpf.h>
#include <stdbool.h>

#include "lib/config/config.h"

struct occupant {
	unsigned id; /* 0: nothing */
	char name[BPF_OBJ_NAME_LEN];
	enum attach_mode mode;
	int sluice_fd; /* the sluice program, alone or among others; -1: none */
	unsigned sluice_id;
	bool dispatcher; /* libxdp's */
};

/* The number of an interface. 0, -ENODEV: there is none of that name; or another -errno. */
int occupant_find_interface(const char *name, int *ret_ifindex);

/* 0 or -errno; occupant_done() closes its descriptor, also after a failure. */
int occupant_look(int ifindex, struct occupant *ret_occupant);
void occupant_done(struct occupant *occupant);

/* A new descriptor of the sluice program that an interface runs, alone or in
 * libxdp's dispatcher. -ENOENT: none.
 */
int occupant_find_sluice(int ifindex);

#endif
