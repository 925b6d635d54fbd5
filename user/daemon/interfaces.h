/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attaching the program to interfaces, through libxdp.
 */
#ifndef SLUICE_INTERFACES_H
#define SLUICE_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>

#include "lib/config.h"

struct datapath;
struct diag;

struct attachment {
	char name[IF_NAMESIZE];
	int ifindex;
	enum attach_mode mode; /* ATTACH_NATIVE or ATTACH_GENERIC: what it really got */
	unsigned program_id;
	bool adopted; /* was there before us */
	int claim; /* keeps other sluiced's off; the attachment's to close */
	bool shared; /* through libxdp's dispatcher, beside other programs */
};

/* Attaches to an interface by name. Another program there that cannot be
 * chained with is named in diag and left alone (-EBUSY); so is one of another
 * running sluiced. Already ours: 0. A sluice program of a daemon that is gone is
 * replaced.
 */
int attachment_attach(struct datapath *datapath, const char *name, enum attach_mode mode,
		      struct diag *diag, struct attachment *ret_attachment);

/* Ends the claim, leaves the program where it is. */
void attachment_release(struct attachment *attachment);

/* Releases it too. -ENOENT: our program is not there (any more). */
int attachment_detach(const struct datapath *datapath, struct attachment *attachment, struct diag *diag);

#endif
