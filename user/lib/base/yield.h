/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where long work lets other work go first. A loop whose length the configuration decides
 * calls yield_point() once for each step of a few microseconds. In a program that sets no
 * hook, and outside of fibers (daemon/fiber.h), that does nothing.
 */
#ifndef SLUICE_LIB_BASE_YIELD_H
#define SLUICE_LIB_BASE_YIELD_H

/* NULL: no work gives way. It keeps errno. */
extern void (*yield_hook)(unsigned steps);

/* Other work may be done before this returns: what the caller has found by then must be its
 * own, or locked.
 */
static inline void yield_point(void)
{
	if (yield_hook)
		yield_hook(1);
}

/* The same after a piece of work that has taken as long as this number of steps. */
static inline void yield_after(unsigned steps)
{
	if (yield_hook)
		yield_hook(steps);
}

#endif
