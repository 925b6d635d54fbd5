/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The schedulers and affinity, counted. Each prints what it found; whatever is
 * wrong ends the process.
 */
#ifndef SLUICE_TESTS_MODEL_SCHEDULERS_H
#define SLUICE_TESTS_MODEL_SCHEDULERS_H

#include "subject.h"

/* New connections go by the weights, with every scheduler. */
void schedulers_weights(struct subject *subject);

/* Exact, with several CPUs opening connections at the same time. */
void schedulers_round_robin(struct subject *subject);

/* Live connections, of unequal length, stay level; the counts are right. */
void schedulers_least_connections(struct subject *subject);

/* Clients come back to their backend, for as long as they are to. */
void schedulers_affinity(struct subject *subject);

#endif
