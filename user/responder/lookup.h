/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looks a client up in the program's maps, one element at a time: a descriptor that can
 * only read cannot be mapped into memory. The maps change meanwhile; what is read is
 * checked, and at worst an answer is about what was a moment ago.
 */
#ifndef SLUICE_RESPONDER_LOOKUP_H
#define SLUICE_RESPONDER_LOOKUP_H

#include "lib/base/addr.h"
#include "lib/respond.h"
#include "responder/answer.h"

struct lookup {
	unsigned directory_size; /* words; a power of two */
};

/* The maps are the descriptors RESPOND_FD_MAPS and on. 0, or -errno: they are not
 * there, or of another layout.
 */
int lookup_open(struct lookup *ret_lookup);

/* What is known about a client of the service. -ENOENT: there is no such service. */
int lookup_client(const struct lookup *lookup, const struct sl_key *service,
		  const struct ip *client, struct answer_input *ret_input);

#endif
