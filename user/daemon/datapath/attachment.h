/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attaching the program to interfaces, through libxdp.
 */
#ifndef SLUICE_DAEMON_DATAPATH_ATTACHMENT_H
#define SLUICE_DAEMON_DATAPATH_ATTACHMENT_H

#include <net/if.h>
#include <stdbool.h>

#include "lib/config/config.h"

struct datapath;
struct diag;

struct attachment {
	char name[IF_NAMESIZE];
	int ifindex;
	enum attach_mode mode; /* ATTACH_NATIVE or ATTACH_GENERIC: the one that it runs in */
	unsigned program_id;
	bool adopted; /* was there before us */
	int claim;    /* keeps other sluiced's off; the attachment's to close */
	bool shared;  /* through libxdp's dispatcher, beside other programs */
};

/* Keeps every other sluiced off the interface, before any program there
 * is touched. -EBUSY: another sluiced runs it. attachment_release() undoes it.
 */
int attachment_claim(const char *name, struct diag *diag, struct attachment *ret_attachment);

/* Attaches to a claimed interface. Another program there that cannot be chained
 * with is named in diag and left alone (-EBUSY). Ours already: 0. A sluice
 * program of a daemon that is gone is replaced.
 */
int attachment_attach(struct datapath *datapath, enum attach_mode mode, struct diag *diag,
		      struct attachment *attachment);

/* Ends the claim, leaves the program where it is. */
void attachment_release(struct attachment *attachment);

/* Leaves the claim. -ENOENT: our program is not there (any more). */
int attachment_detach(const struct datapath *datapath, const struct attachment *attachment,
		      struct diag *diag);

#endif
