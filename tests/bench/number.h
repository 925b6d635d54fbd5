/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers on command lines and in scenario files.
 */
#ifndef SLUICE_TESTS_BENCH_NUMBER_H
#define SLUICE_TESTS_BENCH_NUMBER_H

#include <stdbool.h>

#include "lib/base/units.h"

/* Digits alone, for a number from `least` to `most`; else false, and *ret_number is
 * as it was.
 */
static inline bool take_number(const char *text, unsigned least, unsigned most,
			       unsigned *ret_number)
{
	unsigned long long number;

	if (number_parse(text, &number) || number < least || number > most)
		return false;
	*ret_number = (unsigned)number;
	return true;
}

#endif
