// SPDX-License-Identifier: BSD-2-Clause
#include "lib/limit/algorithm.h"

#include <stddef.h>

#include "lib/base/array.h"

#define ALGORITHM_ROW(name, row, word) [SL_ALGORITHM_##name] = &limit_##row,
static const struct limit_algorithm *const rows[] = { SL_ALGORITHMS(ALGORITHM_ROW) };

const struct limit_algorithm *limit_algorithm(unsigned algorithm)
{
	return algorithm < ARRAY_SIZE(rows) ? rows[algorithm] : NULL;
}
