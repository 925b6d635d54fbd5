/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The packets that the program cannot send by itself, because the MAC address of their next hop
 * is unknown or their device takes no frames from XDP. The program gives a bounded number of
 * them to the daemon, which has the kernel resolve the next hop and then sends them.
 */
#ifndef SLUICE_DAEMON_UNSENT_UNSENT_H
#define SLUICE_DAEMON_UNSENT_UNSENT_H

struct datapath;
struct diag;
struct nexthops;
struct unsent;
struct uv_loop_s;

/* What the room needs of others, which outlives it. */
struct unsent_needs {
	struct uv_loop_s *loop;
	struct datapath *datapath;
	struct nexthops *nexthops;
	int socket; /* of unsent_open_socket() */
};

/* 0 or -errno and diag. */
int unsent_new(const struct unsent_needs *needs, struct diag *diag, struct unsent **ret_unsent);

/* The memory goes when the loop has run. Accepts NULL. */
void unsent_free(struct unsent *unsent);

/* Routes, addresses or settings of the kernel's have changed. */
void unsent_review(struct unsent *unsent);

/* Calls `say` for each sentence about what is wrong now. Accepts NULL. */
typedef void unsent_say_fn(void *arg, const char *text);
void unsent_each_problem(const struct unsent *unsent, unsent_say_fn *say, void *arg);

#endif
