/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The XDP program: loaded from the object that is embedded in the daemon, or found on an
 * interface.
 */
#ifndef SLUICE_DAEMON_DATAPATH_PROGRAM_PROGRAM_H
#define SLUICE_DAEMON_DATAPATH_PROGRAM_PROGRAM_H

#include <stdbool.h>

#include "sluice/maps.h"

struct bpf_object;
struct diag;
struct maps;
struct xdp_program;

struct program {
	int fd; /* the one that is pinned */
	/* The program once more over the same maps, for libxdp to load: in a dispatcher a
	 * program is of another type than alone. NULL until it is needed.
	 */
	struct xdp_program *chained;
	struct bpf_object *object; /* of chained */
	bool alone;                /* libxdp could not attach where the plain program could be */
};

/* libbpf and libxdp write to the log from now on, and only for --verbose. */
void program_quiet_libraries(void);

/* Loads the embedded program. `entries`: by enum sl_size; 0: as the object file has it.
 * *ret_fd is the caller's. 0, or -errno and diag.
 */
int program_load(const unsigned entries[static SL_SIZE_COUNT], unsigned long long hash_seed,
		 struct diag *diag, int *ret_fd);

/* Makes a copy of fd the program's. 0, or -errno and diag: the program is the one it was. */
int program_keep(struct program *program, int fd, struct diag *diag);

/* A program that was found in a dispatcher cannot run alone, but the one that is pinned
 * must: loads the plain one over these maps in its place. 0, or -errno and diag.
 */
int program_make_plain(struct program *program, const struct maps *maps, struct diag *diag);

/* Makes `chained` be there. 0 or -errno. */
int program_make_chained(struct program *program, const struct maps *maps);
void program_forget_chained(struct program *program);

void program_done(struct program *program);

#endif
