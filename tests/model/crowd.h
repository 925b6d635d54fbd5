/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many flows at once, and floods of them. Prints what it found; whatever is wrong
 * ends the process.
 */
#ifndef SLUICE_TESTS_MODEL_CROWD_H
#define SLUICE_TESTS_MODEL_CROWD_H

#include "subject.h"

/* 100 000 connections through settled slots, a transition, floods in both, and until
 * all has settled again.
 */
void crowd_run(struct subject *subject);

#endif
