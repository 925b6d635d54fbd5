/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pin directory: DIRECTORY/prog and DIRECTORY/maps/NAME, so that `ip link set dev X
 * xdp pinned DIRECTORY/prog` and bpftool find them, and that the next daemon finds the program
 * where no interface runs it any more.
 */
#ifndef SLUICE_DAEMON_DATAPATH_PROGRAM_PINS_H
#define SLUICE_DAEMON_DATAPATH_PROGRAM_PINS_H

#include <limits.h>

struct diag;
struct maps;

struct pins {
	char directory[PATH_MAX];
	int lock; /* the directory, locked; -1: there are no pins */
};

/* Pins program and maps in a directory on a bpffs, mounting one where there is none.
 * Replaces the pins that a predecessor left. -EBUSY: another sluiced uses the directory.
 * 0 or -errno and diag; after a failure some may be pinned.
 */
int pins_make(struct pins *pins, const char *directory, const struct maps *maps, int program_fd,
	      struct diag *diag);

/* The program that a daemon of this network namespace has pinned which is gone, as a new
 * descriptor; the directory is locked then. -ENOENT: there is none, or a running daemon has it;
 * nothing is locked.
 */
int pins_find_program(struct pins *pins, const char *directory, int *ret_fd);

/* Makes this the program that is pinned; it uses the same maps. 0 or -errno and diag. */
int pins_set_program(const struct pins *pins, int program_fd, struct diag *diag);

/* Removes the pins, and the directory where it is empty then. */
void pins_remove(const struct pins *pins);

/* Leaves the pins, and the directory to others. */
void pins_done(struct pins *pins);

#endif
