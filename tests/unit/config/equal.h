/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether two configurations are the same in everything, in the same order; places
 * in the file do not count. The daemon never asks: it goes by config_compare().
 */
#ifndef SLUICE_TESTS_UNIT_CONFIG_EQUAL_H
#define SLUICE_TESTS_UNIT_CONFIG_EQUAL_H

#include "lib/config/config.h"
#include "lib/config/section.h"

static inline bool config_equal(const struct config *a, const struct config *b)
{
	return section_equal(&section_config, a, b);
}

#endif
