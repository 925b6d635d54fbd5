/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One sequence, on the model and on the program. Beside the model's word for each
 * packet, what section 4 promises is watched by itself: an established connection
 * stays where it is while its backend may serve it, and no new one goes to a
 * backend that takes none.
 */
#ifndef SLUICE_TESTS_MODEL_RUN_H
#define SLUICE_TESTS_MODEL_RUN_H

#include <stdio.h>

#include "event.h"
#include "subject.h"

/* What is wrong with it, or NULL. told: where each event is told; NULL: nowhere. */
const char *run_sequence(struct subject *subject, const struct sequence *sequence, FILE *told);

#endif
