/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The program's maps, read one element at a time: a descriptor that can only read
 * cannot be mapped into memory. They change meanwhile; what is read is checked, and
 * at worst an answer is about what was a moment ago.
 */
#ifndef SLUICE_RESPONDER_MAPS_H
#define SLUICE_RESPONDER_MAPS_H

#include "lib/base/addr.h"
#include "lib/respond.h"
#include "responder/answer.h"

struct maps {
	unsigned directory_size; /* words; a power of two */
};

/* The maps are the descriptors RESPOND_FD_MAPS and on. 0, or -errno: they are not
 * there, or of another layout.
 */
int maps_open(struct maps *ret_maps);

/* What is known about a client of the service. -ENOENT: there is no such service. */
int maps_look(const struct maps *maps, const struct sl_key *service, const struct ip *client,
	      struct answer_input *ret_input);

#endif
