/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ends a process before it writes to the maps once more. A write is a store of one instruction
 * to the memory that a map shares with the program, or a request to the kernel.
 */
#ifndef SLUICE_TESTS_TAKEOVER_INTERRUPT_H
#define SLUICE_TESTS_TAKEOVER_INTERRUPT_H

#include <stdbool.h>

struct maps;

/* Stores are counted with a processor flag that other architectures do not have. */
#if defined(__x86_64__)
#define INTERRUPT_WORKS true
#else
#define INTERRUPT_WORKS false
#endif

/* Runs work(arg) in a process of its own, which ends after `writes` writes. Whether work had
 * come to its end by then.
 */
bool interrupt_after(const struct maps *maps, unsigned writes, void (*work)(void *arg), void *arg);

#endif
