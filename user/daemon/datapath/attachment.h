/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An interface that the program is to be attached to, and what it runs. The program is
 * attached through libxdp. What the kernel runs can change by other hands at any time:
 * attachment_look() and attachment_attach() ask it.
 */
#ifndef SLUICE_DAEMON_DATAPATH_ATTACHMENT_H
#define SLUICE_DAEMON_DATAPATH_ATTACHMENT_H

#include <net/if.h>
#include <stdbool.h>

#include "lib/base/diag.h"
#include "lib/config/config.h"

struct datapath;

/* ATTACHMENT_X, and its name in the status */
#define ATTACHMENT_STATES(X)                                                                 \
	X(MISSING, "missing")     /* there is no interface of this name */                   \
	X(REFUSED, "refused")     /* the program could not be attached to it */              \
	X(TAKEN_OFF, "taken-off") /* the program ran there, until other hands took it off */ \
	X(RUNS, "attached")       /* the program runs there */

#define ATTACHMENT_ENUM(state, name) ATTACHMENT_##state,
enum attachment_state { ATTACHMENT_STATES(ATTACHMENT_ENUM) };
#undef ATTACHMENT_ENUM

struct attachment {
	char name[IF_NAMESIZE];
	char former[IF_NAMESIZE]; /* its name in the configuration, before it was renamed; or "" */
	enum attachment_state state;
	struct diag problem;    /* why the program does not run there, with the cure; else empty */
	int ifindex;            /* 0: missing */
	int claim;              /* keeps other daemons off the interface; -1: there is none */
	enum attach_mode asked; /* by the configuration or a command */
	unsigned occupant_id;   /* what ran there at the last look: ours, libxdp's dispatcher that
				   * holds ours, another's program, or 0: nothing */
	/* Valid while the program runs there. */
	enum attach_mode mode; /* ATTACH_NATIVE or ATTACH_GENERIC: the one that it runs in */
	unsigned program_id;
	bool adopted; /* was there before us */
	bool shared;  /* through libxdp's dispatcher, beside other programs */
	/* For those who follow the kernel's devices. */
	unsigned long long device; /* the serial number of the device; 0: not known yet */
	unsigned mtu;              /* of the device, when the program was last refused */
	struct {
		bool known; /* was wanted already, and ran in this mode */
		enum attach_mode asked, mode;
	} before; /* the change that may have to be undone */
};

/* An attachment to an interface that is missing, until it is claimed. */
void attachment_init(const char *name, enum attach_mode asked, struct attachment *ret_attachment);

/* Finds the interface by its name, and keeps every other sluiced off it, before any program
 * there is touched. One that is claimed already stays so. -ENODEV: there is no such interface;
 * -EBUSY: another sluiced runs it.
 */
int attachment_claim(struct attachment *attachment, struct diag *diag);

/* Makes a claimed interface run the program in this mode; ATTACH_AUTO: in native mode, or in
 * the mode in which it is found. Another program there that cannot be chained with is named in
 * diag and left alone (-EBUSY). A sluice program of a daemon that is gone is replaced. 0, or
 * -errno and diag: then the interface runs what it ran.
 */
int attachment_attach(struct datapath *datapath, enum attach_mode mode, struct diag *diag,
		      struct attachment *attachment);

/* Asks the kernel what the interface runs. Whether it runs the program: if so, state and all
 * that is told of it are up to date; if not, and it ran there before, it has been taken off.
 */
bool attachment_look(const struct datapath *datapath, struct attachment *attachment);

/* Notes that attaching was refused. */
void attachment_refused(const struct datapath *datapath, const struct diag *diag,
			struct attachment *attachment);

/* Notes that the interface is gone; ends the claim. */
void attachment_lost(struct attachment *attachment);

/* Whether an interface could be attached to, as far as a look tells: 0, -ENODEV and -EBUSY, with
 * the words of attachment_claim() and attachment_attach(). datapath NULL: whether it is missing.
 */
int attachment_check(const struct datapath *datapath, const char *name, struct diag *diag);

/* Ends the claim, leaves the program where it is. */
void attachment_release(struct attachment *attachment);

/* Leaves the claim. -ENOENT: our program is not there (any more). */
int attachment_detach(const struct datapath *datapath, const struct attachment *attachment,
		      struct diag *diag);

const char *attachment_state_name(enum attachment_state state);

#endif
