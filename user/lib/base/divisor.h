/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The greatest common divisor, which the weights of backends are divided by.
 */
#ifndef SLUICE_LIB_BASE_DIVISOR_H
#define SLUICE_LIB_BASE_DIVISOR_H

/* Of 0 and a number: that number. */
static inline unsigned greatest_divisor(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

#endif
