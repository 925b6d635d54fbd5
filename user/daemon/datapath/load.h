/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From an embedded or an attached program to a struct datapath, and its end.
 */
#ifndef SLUICE_DAEMON_DATAPATH_LOAD_H
#define SLUICE_DAEMON_DATAPATH_LOAD_H

#include <stdbool.h>

struct datapath;
struct datapath_sizes;
struct diag;

/* Loads the embedded program with maps that hold `sizes`, pins both in pin_dir
 * (made; bpffs mounted where it is missing). A stale pin is replaced. 0 or
 * -errno and diag.
 */
int datapath_load(const struct datapath_sizes *sizes, const char *pin_dir, struct diag *diag,
		  struct datapath **ret_datapath);

/* Takes over the sluice program that ifindex runs, however it was attached, and its maps;
 * pins them. 0, or -errno and diag. -ENOENT: there is none. -EPROTO: another version's
 * layout. -ENOSPC: as datapath_fits(). The seed stays that of the program.
 */
int datapath_adopt(int ifindex, const struct datapath_sizes *sizes, const char *pin_dir,
		   struct diag *diag, struct datapath **ret_datapath);

/* The same for the program that a daemon which is gone has pinned there, whether or not an
 * interface runs it still. -EEXIST: it has another seed than the sizes say.
 */
int datapath_adopt_pinned(const struct datapath_sizes *sizes, const char *pin_dir,
			  struct diag *diag, struct datapath **ret_datapath);

/* A datapath of an open program, without pins. Learns the services that its maps hold. Takes
 * ownership of program_fd, also on failure. 0, or -errno and diag.
 */
int datapath_new(int program_fd, struct diag *diag, struct datapath **ret_datapath);

/* The seed of the program, which cannot be changed. */
unsigned long long datapath_hash_seed(const struct datapath *datapath);

/* Removes the pins unless keep; attached programs stay attached. Accepts NULL. */
void datapath_free(struct datapath *datapath, bool keep);

#endif
