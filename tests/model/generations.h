/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The ids of limits: buckets in the maps bear them for longer than the limits live. Whatever is
 * wrong ends the process.
 */
#ifndef SLUICE_TESTS_MODEL_GENERATIONS_H
#define SLUICE_TESTS_MODEL_GENERATIONS_H

#include "subject.h"

/* No id is given twice, whatever limits are removed, and after a take-over. */
void generations_run(struct subject *subject);

#endif
