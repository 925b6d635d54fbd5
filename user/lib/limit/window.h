/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The members of a row that all algorithms share which count in windows. Private to
 * user/lib/limit.
 */
#ifndef SLUICE_LIB_LIMIT_WINDOW_H
#define SLUICE_LIB_LIMIT_WINDOW_H

#include "sluice/abi.h"

struct limit_config;

/* See struct limit_algorithm. */
void window_wire(const struct limit_config *config, struct sl_limit *limit);
unsigned long long window_whole(const struct sl_limit *limit);
unsigned long long window_length_ns(const struct sl_limit *limit);

#endif
